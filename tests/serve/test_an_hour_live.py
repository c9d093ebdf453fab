"""An hour passes while `seatrial serve` runs: real processes, whose clocks alone are moved."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from running import COLUMNS, MODEL, serving, until

if TYPE_CHECKING:
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each

CLOCKS = Path(__file__).parents[1] / "faults" / "hour_passes"


@dataclass(frozen=True, slots=True)
class Time:
    """The time of every process that a test starts."""

    file: Path
    zero: datetime

    def set(self, minutes: float) -> None:
        """So many minutes after ``zero``, at once."""
        ahead_s = (self.zero + timedelta(minutes=minutes)).timestamp() - time.time()
        with self.file.open("r+b") as file:
            file.write(struct.pack("d", ahead_s))


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Time:
    """It is ten minutes past the next full hour."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    file = tmp_path / "ahead"
    file.write_bytes(bytes(8))
    monkeypatch.setenv("SEATRIAL_AHEAD", str(file))
    monkeypatch.setenv("PYTHONPATH", str(CLOCKS))
    made = Time(file, hour)
    made.set(10)
    return made


def ask(gateway: Gateway, shift: float, requests: int = 10, rows: int = 100) -> None:
    """Requests with features that are ``shift`` away from the training data, all of them logged."""
    name, written = "seatrial_log_written_total", gateway.metrics()
    random = np.random.default_rng(3)
    for _ in range(requests):
        gateway.infer(*(random.normal(size=(rows, len(COLUMNS))) + shift).round(4).tolist())
    wanted = written.get(name, 0) + requests
    until(lambda: gateway.metrics().get(name, 0) >= wanted, "every request is in the log")


def children(gateway: Gateway) -> dict[str, int]:
    """The processes that run now, by name."""
    started = (line for line in gateway.logged() if line["event"] == "started")
    return {line["child"]: line["child_pid"] for line in started}


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except FileNotFoundError:
        return True


def judged(project: Project) -> list[tuple[int, bool]]:
    """Of each hour of version 1 that was judged: its rows, and whether the day had moved."""
    with project.stores() as stores:
        bodies: list[Any] = [event.body for event in stores.ledger.events("traffic_judged")]
    return [(each["body"]["rows"], bool(each["body"]["day"]["moved"])) for each in bodies]


def test_hours_that_moved_are_told_everywhere_and_once(delivered: Project, clock: Time) -> None:
    with serving(delivered) as one, serving(delivered) as other:
        ask(one, shift=1.5)
        ask(other, shift=1.5)
        clock.set(61)
        time.sleep(1.5)
        assert judged(delivered) == [], "what was answered last may not be in the log yet"
        os.kill(children(one)["scheduler"], signal.SIGKILL)
        clock.set(70)
        until(lambda: judged(delivered), "the first hour is judged", within_s=120)
        assert judged(delivered) == [(2000, False)], "what one hour says alone settles nothing"
        ask(one, shift=1.5)
        ask(other, shift=1.5)
        running = children(one)
        one.process.kill()
        one.process.wait()
        until(lambda: all(map(gone, running.values())), "its processes end")
        clock.set(130)
        until(lambda: len(judged(delivered)) > 1, "the second hour is judged", within_s=120)
        assert judged(delivered)[1:] == [(2000, True)]
        said = delivered.command("status")
        assert f"traffic of {MODEL} version 1 moved: feature_" in said.stdout, said.stderr
        told = json.loads(delivered.command("status", "--json").stdout)
        (review,) = (item for item in told["reviews"] if item["kind"] == "drift")
        assert "feature_1" in delivered.command("reviews", review["id"]).stdout
        assert delivered.command("approve", review["id"], "--reason", "a sale").returncode == 0
        delivered.rows("training_data", 1500, 8)
        run = delivered.command("run", "pipeline.yaml", "--json")
        findings = [
            finding["what"]
            for stage in json.loads(run.stdout)["stages"]
            for task in stage["tasks"]
            for finding in task["findings"]
        ]
        assert any("live traffic of version 1 moved" in what for what in findings), run.stderr
        clock.set(3 * 24 * 60)
        assert delivered.command("gc").returncode == 0
        with delivered.stores() as stores:
            hours = [json.loads(json.dumps(e.body)) for e in stores.ledger.events("traffic_judged")]
            needed = [h["body"]["counts"] for h in hours] + [hours[1]["body"]["day"]["evidence"]]
            assert all(map(stores.registry.blobs.has, needed))
        assert delivered.command("history", "--verify").returncode == 0
        assert other.version() == 1
        running = children(other)
    until(lambda: all(map(gone, running.values())), "nothing is left running")

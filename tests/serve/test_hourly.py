"""From a gateway's log to `seatrial status` and the next run: processes, files and commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner

from running import COLUMNS, MODEL, until
from seatrial.cli import root
from seatrial.inference.answer import Answer
from seatrial.ledger.verify import verify
from seatrial.pipeline.read import read_file
from seatrial.registry.registry import Move
from seatrial.serve.demand import demands_of
from seatrial.serve.hours import FIRST_S, Hours
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog

if TYPE_CHECKING:
    from running import Project

pytestmark = pytest.mark.slow  # a delivered project, and processes of their own


@pytest.fixture
def project(delivered: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Version 1 serves since five hours ago."""
    monkeypatch.chdir(delivered.folder)
    with delivered.stores() as stores:
        now = stores.registry.channel(MODEL, "production")
        assert now is not None
        begin = datetime.fromisoformat(now.since) - timedelta(hours=5)
        stores.ledger.clock = lambda: begin
        stores.registry.move(
            Move(
                model=MODEL, channel="production", version=1, expect=now.revision,
                event="promote", by="a test", reason="it has served for five hours",
            )
        )  # fmt: skip
    return delivered


@dataclass(slots=True)
class Seconds:
    """A clock that is moved, and what was logged."""

    now_s: float = 0.0
    told: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s


def answer(project: Project, hours: int, rows: int, shift: float) -> None:
    """Requests of the hours after the delivery, answered and logged."""
    with project.stores() as stores:
        channel = stores.registry.channel(MODEL, "production")
        assert channel is not None
        version = stores.registry.version(MODEL, channel.version)
    begin = datetime.fromisoformat(channel.since)
    head = record.head(MODEL, version.version, version.digest)
    random = np.random.default_rng(9)
    for n in range(hours):
        at = begin + timedelta(hours=n, seconds=1)
        matrix = (random.normal(size=(rows, 3)) + shift).astype(np.float32)
        given = Answer(np.zeros(rows, np.int64), np.ones((rows, 2), np.float32))
        raw = record.of_matrix(head, int(at.timestamp() * 1e6), 9, f"r{n}".encode(), matrix, given)
        log = TrafficLog(project.home / "traffic", "W", partial(_still, at), signature(project))
        log.redact({MODEL: ()})
        assert log.append([raw]).written == 1
        log.close()


def _still(at: datetime) -> datetime:
    return at


def signature(project: Project) -> Any:
    from seatrial.gateway.logbook import Signatures  # noqa: PLC0415
    from seatrial.ledger.blobs import Blobs  # noqa: PLC0415

    return Signatures(Blobs(project.home / "blobs"))


def status(*words: str) -> str:
    said = CliRunner().invoke(root, ["status", *words], catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return said.output


def judge(project: Project) -> None:
    """As the process does that the scheduler starts."""
    from seatrial.serve import hourly  # noqa: PLC0415

    with project.stores() as stores:
        hourly.judge(stores, lambda _event, **_fields: None, lambda: True)


def test_status_the_review_and_the_next_run_say_what_moved(project: Project) -> None:
    (before,) = json.loads(status("--json"))["drift"]
    assert (before["model"], before["verdict"], before["note"]) == (MODEL, None, "")
    assert "traffic" not in status()
    answer(project, hours=3, rows=400, shift=1.5)
    judge(project)
    (told,) = json.loads(status("--json"))["drift"]
    assert (told["verdict"], sorted(told["moved"])) == ("fail", sorted(COLUMNS))
    assert told["rows"] == 1200
    assert f"traffic of {MODEL} version 1 moved: feature_" in status()
    (asked,) = (r for r in json.loads(status("--json"))["reviews"] if r["kind"] == "drift")
    shown = CliRunner().invoke(root, ["reviews", asked["id"]], catch_exceptions=False).output
    assert "kl.feature_1" in shown
    said = CliRunner().invoke(root, ["approve", asked["id"], "--reason", "a sale"])
    assert said.exit_code == 0, said.output
    assert json.loads(status("--json"))["models"][0]["production"] == 1
    verified = CliRunner().invoke(root, ["history", "--verify"], catch_exceptions=False)
    assert verified.exit_code == 0, verified.output
    project.rows("training_data", 1500, 8)
    document = project.run().document
    tasks = {t["task"]: t for stage in document["stages"] for t in stage["tasks"]}
    (finding,) = (f for f in tasks["integration_tests"]["findings"] if "live traffic" in f["what"])
    assert finding["what"].startswith("live traffic of version 1 moved: feature_")


def test_traffic_like_training_is_said_so(project: Project) -> None:
    answer(project, hours=2, rows=3000, shift=0.0)
    judge(project)
    assert f"traffic of {MODEL} version 1: like training (2 h to " in status()
    assert "6 000 rows" in status()


def test_a_version_of_before_says_why_nothing_is_told(project: Project) -> None:
    with project.stores() as stores:
        version = stores.registry.version(MODEL, 1)
        manifest = stores.registry.manifest(version)
        files = dict(manifest["files"])  # type: ignore[call-overload]
        del files["profile.json"]
        made = stores.registry.register(
            MODEL, {**manifest, "files": files}, label="l", run=str(version.run), by="a test"
        )
    moved = CliRunner().invoke(root, ["promote", MODEL, str(made.version), "--reason", "a test"])
    assert moved.exit_code == 0, moved.output
    (told,) = json.loads(status("--json"))["drift"]
    assert told["verdict"] is None
    assert "registered without a profile of its training data" in told["note"]
    assert told["note"] in status()


def test_the_demand_is_that_of_the_pipeline(project: Project) -> None:
    limits = demands_of(project.folder)(MODEL).limits
    pipeline = read_file(project.file)
    (entry,) = (e for e in pipeline.tasks if e.word == "check_distribution")
    assert limits.usual == entry.parameters["threshold"]
    text = project.file.read_text()
    project.file.write_text(text + "\nreview: {hours: 3}\n")
    assert demands_of(project.folder)(MODEL).review_hours == 3
    assert demands_of(project.folder)("another").limits.measure == "kl"


def test_the_process_judges_what_is_due_and_ends(project: Project) -> None:
    answer(project, hours=1, rows=500, shift=0.0)
    with project.stores() as stores:
        clock = Seconds()
        hours = Hours(stores, lambda event, **_fields: clock.told.append(event), clock)

        def ended() -> bool:
            hours.tend()
            return not hours.busy

        assert ended(), "a gateway that has just started has other things to do"
        clock.now_s = FIRST_S
        assert not ended(), "one is due"
        until(ended, "it has judged", within_s=120)
        assert clock.told == []
        assert len([*stores.ledger.events("traffic_judged")]) == 1
        clock.now_s += 3600
        assert ended(), "nothing is due any more"


@pytest.mark.parametrize(
    ("event", "moment"),
    [(1, "inside"), (1, "after"), (2, "inside"), (3, "inside"), (3, "after")],
)
def test_killed_anywhere_it_ends_as_without_the_kill(
    project: Project, event: int, moment: str
) -> None:
    answer(project, hours=2, rows=400, shift=1.5)  # three events: two hours, and a question
    victim = hourly_process(project, f"import victim; victim.die_at({event}, {moment!r})\n")
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    again = hourly_process(project)
    assert again.returncode == 0, again.stderr
    with project.stores() as stores:
        hours = [event.body for event in stores.ledger.events("traffic_judged")]
        asked = [event.body for event in stores.ledger.events("review_opened")]
        verify(stores.ledger)
    assert [hour["body"]["day"]["rows"] for hour in hours] == [400, 800]  # type: ignore[index]
    assert [question["kind"] for question in asked] == ["drift"]


def hourly_process(project: Project, before: str = "") -> subprocess.CompletedProcess[str]:
    code = f"import sys\n{before}from seatrial.serve import hourly\nsys.exit(hourly.main())"
    return subprocess.run(
        [sys.executable, "-c", code, "--folder", project.folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "faults")},
    )


def test_a_ledger_that_is_not_there_is_told(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "seatrial.serve.hourly", "--folder", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 5
    assert "there is no ledger" in ended.stderr

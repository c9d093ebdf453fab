"""The writer's process: everything answered is in the log, whatever happens to the writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from seatrial.gateway.board import Board
from seatrial.gateway.logbook import SLOT
from seatrial.gateway.ring import Ring
from seatrial.ledger.blobs import Blobs
from seatrial.traffic import labels, reading, record

from .conftest import NUMBERS, drawn, recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conftest import Traffic

CELL = 3
PATIENCE_S = 20.0


def until(true: Callable[[], Any]) -> Any:
    ends = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.01)
    return found


@dataclass
class Gateway:
    """What a writer meets: a board, rings, blobs; and no worker but this test."""

    home: Path
    traffic: Traffic
    board: Board = field(default_factory=lambda: Board.create(4))
    rings: list[Ring] = field(default_factory=lambda: [Ring.create(), Ring.create()])
    writers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    redact: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        manifest = orjson.dumps({"signature": NUMBERS.to_json()})
        self.digest = Blobs(self.home / "blobs").put(manifest)
        self.publish()

    def publish(self) -> None:
        settings = {"redact": self.redact, "keep_days": 30, "keep_gb": 5}
        self.board.publish({"models": [{"name": "m", "settings": settings}], "shadows": []})

    def start(self) -> subprocess.Popen[bytes]:
        files = [self.board.fd, *(ring.fd for ring in self.rings)]
        command = [
            *(sys.executable, "-m", "seatrial.gateway.writer", "--board", str(self.board.fd)),
            *("--rings", ",".join(str(ring.fd) for ring in self.rings)),
            *("--home", str(self.home), "--name", "W", "--cell", str(CELL)),
        ]
        self.writers.append(subprocess.Popen(command, pass_fds=files))
        return self.writers[-1]

    def ask(self, *ids: str, ring: int = 0) -> None:
        head = record.head("m", 3, self.digest)
        for each in ids:
            features, answer = drawn(NUMBERS, 1, self.traffic.random)
            raw = recorded(head, time.time_ns() // 1000, each, features, answer)
            assert self.rings[ring].put(raw)

    def label(self, *ids: str) -> None:
        told = [(each, [1]) for each in ids]
        at_us = time.time_ns() // 1000
        assert self.rings[0].put(record.of_labels("m", at_us, told, self.digest, 3))

    @property
    def logged(self) -> list[str]:
        tables = reading.read(self.home / "traffic", "m")
        return sorted(tables[3]["id"].to_pylist()) if tables else []

    def told(self, key: str) -> Any:
        return (self.board.read(CELL) or {}).get(key)


@pytest.fixture
def gateway(tmp_path: Path, traffic: Traffic) -> Iterator[Gateway]:
    made = Gateway(tmp_path, traffic)
    yield made
    for writer in made.writers:
        writer.kill()
        writer.wait()
    made.board.close()
    for ring in made.rings:
        ring.close()


def test_records_of_all_workers_are_soon_in_the_log_and_told(gateway: Gateway) -> None:
    gateway.ask("before", ring=1)  # the workers may be faster
    gateway.start()
    gateway.ask("r1")
    until(lambda: gateway.logged == ["before", "r1"])
    until(lambda: gateway.told("written") == 2)
    assert [gateway.told(key) for key in ("unwritten", "lost", "labels", "lag")] == [0, 0, 0, 0]
    assert gateway.told("pid") == gateway.writers[0].pid
    assert gateway.told("coverage") == {}


def test_labels_are_kept_and_their_coverage_is_told(gateway: Gateway) -> None:
    gateway.start()
    gateway.ask("r1", "r2", "r3", "r4")
    gateway.label("r1", "r2", "r3", "who")
    coverage = until(lambda: gateway.told("coverage"))["m"]
    counted = [coverage[key] for key in ("predictions", "labelled", "unknown", "repeated")]
    assert counted == [4, 3, 1, 0]
    assert gateway.told("labels") == 4
    assert labels.read(gateway.home / "traffic", "m").num_rows == 4


def test_a_killed_writers_successor_goes_on_where_it_stopped(gateway: Gateway) -> None:
    first = gateway.start()
    gateway.ask(*(f"1-{n:04d}" for n in range(300)))
    until(lambda: gateway.told("written") == 300)
    assert gateway.rings[0].kept(SLOT) is not None
    first.kill()
    first.wait()
    gateway.ask(*(f"2-{n:04d}" for n in range(300)), ring=1)
    gateway.start()
    until(lambda: (gateway.told("written") or 0) >= 600)
    assert gateway.logged == [f"{r}-{n:04d}" for r in (1, 2) for n in range(300)]
    assert gateway.told("lost") == 0


@pytest.mark.slow
def test_killed_again_and_again_it_loses_nothing(gateway: Gateway) -> None:
    wanted = []
    for turn in range(4):
        writer = gateway.start()
        until(lambda writer=writer: gateway.told("pid") == writer.pid)  # type: ignore[misc]
        for part in range(10):
            ids = [f"{turn}-{part}-{n:03d}" for n in range(100)]
            gateway.ask(*ids, ring=part % 2)
            wanted += ids
            time.sleep(0.03 * turn)
        writer.kill()
        writer.wait()
    gateway.start()
    until(lambda: len(gateway.logged) >= len(wanted))
    assert gateway.logged == wanted


def test_asked_to_stop_it_first_writes_what_is_there(gateway: Gateway) -> None:
    writer = gateway.start()
    until(lambda: gateway.told("pid"))
    for part in range(8):
        gateway.ask(*(f"{part}-{n:04d}" for n in range(1000)), ring=part % 2)
    writer.send_signal(signal.SIGTERM)
    assert writer.wait(timeout=PATIENCE_S) == 0
    assert len(gateway.logged) == 8000
    assert (gateway.told("written"), gateway.told("lag")) == (8000, 0)
    assert not [*(gateway.home / "traffic").rglob("*.arrows")]


def test_what_was_overwritten_is_counted(gateway: Gateway) -> None:
    gateway.rings[0].close()
    gateway.rings[0] = Ring.create(1 << 16)
    gateway.ask(*(f"{n:04d}" for n in range(2000)))
    gateway.start()
    until(lambda: gateway.told("written"))
    until(lambda: gateway.told("written") + gateway.told("lost") == 2000)
    assert len(gateway.logged) == gateway.told("written")


def test_a_column_is_redacted_before_the_first_record_after_it(gateway: Gateway) -> None:
    gateway.start()
    gateway.ask("r1")
    until(lambda: gateway.logged == ["r1"])
    gateway.redact.append("a")
    gateway.publish()
    gateway.ask("r2")
    until(lambda: gateway.logged == ["r1", "r2"])
    (table,) = reading.read(gateway.home / "traffic", "m").values()
    told = dict(zip(table["id"].to_pylist(), table["features"].to_pylist(), strict=True))
    assert told["r1"]["a"] is not None
    assert (told["r2"]["a"], told["r2"]["b"] is None) == (None, False)


def test_a_folder_that_cannot_be_written_is_tried_again(gateway: Gateway) -> None:
    (gateway.home / "traffic").write_text("a file is in the way")
    gateway.start()
    gateway.ask("r1")
    until(lambda: gateway.told("held") == 1)
    gateway.ask("r2")
    (gateway.home / "traffic").unlink()
    until(lambda: gateway.logged == ["r1", "r2"])
    until(lambda: gateway.told("held") == 0)
    assert (gateway.told("written"), gateway.told("unwritten")) == (2, 0)


@pytest.mark.slow
def test_what_the_disk_never_took_is_counted_and_the_writer_lives(gateway: Gateway) -> None:
    (gateway.home / "traffic").write_text("a file is in the way")
    writer = gateway.start()
    head, random = record.head("m", 3, gateway.digest), gateway.traffic.random
    raw = recorded(head, 1, "big", *drawn(NUMBERS, 50_000, random))
    put = 0
    while not gateway.told("unwritten"):
        before = gateway.rings[0].records
        gateway.rings[0].put(raw)
        put += gateway.rings[0].records - before
        until(lambda: gateway.told("lag") is not None)
        time.sleep(0.06)
        assert put < 200
    assert writer.poll() is None
    (gateway.home / "traffic").unlink()
    until(lambda: gateway.told("held") == 0)
    until(lambda: gateway.told("written") + gateway.told("unwritten") + gateway.told("lost") == put)
    assert gateway.told("written") > 0


def test_it_ends_with_its_supervisor(gateway: Gateway) -> None:
    files = (gateway.board.fd, *(ring.fd for ring in gateway.rings))
    command = [
        *(sys.executable, "-m", "seatrial.gateway.writer", "--board", str(gateway.board.fd)),
        *("--rings", ",".join(map(str, files[1:])), "--home", str(gateway.home)),
        *("--name", "W", "--cell", str(CELL)),
    ]
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.run({command}, pass_fds={files})"],
        pass_fds=files,
    )
    pid = until(lambda: gateway.told("pid"))
    gateway.ask("r1")
    parent.kill()
    parent.wait()
    until(lambda: not _runs(pid))
    assert gateway.logged == ["r1"]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # an orphan whose new parent has not buried it yet
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
        return stat.read().rpartition(")")[2].split()[0] != "Z"

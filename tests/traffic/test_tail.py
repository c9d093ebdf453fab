"""What was written since the last look is given once, in order, whatever becomes of the file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from seatrial.traffic import reading
from seatrial.traffic.tail import Tail

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Clock, Traffic


def read(tail: Tail) -> list[str]:
    ids = []
    for part in tail.read():
        table = part.table(["id"])
        assert table is not None
        assert table.num_rows == part.rows
        ids += table["id"].to_pylist()
    return ids


def test_new_rows_come_once_and_a_rolled_stream_goes_on(traffic: Traffic) -> None:
    tail = Tail(traffic.version_folder)
    assert read(tail) == []
    traffic.ask("r1", rows=2)
    assert read(tail) == ["r1", "r1"]
    assert read(tail) == []
    traffic.ask("r2")
    traffic.ask("r3")
    assert read(tail) == ["r2", "r3"]
    assert tail.done == {"2026-11-05T14-W-0": 4}
    traffic.ask("r4")
    traffic.log().roll(everything=True)
    traffic.ask("r5")
    assert read(tail) == ["r4", "r5"]
    assert tail.done == {"2026-11-05T14-W-0": 5, "2026-11-05T14-W-1": 1}


def test_what_was_done_before_is_not_given_again(traffic: Traffic) -> None:
    traffic.ask("r1", "r2")
    tail = Tail(traffic.version_folder)
    assert read(tail) == ["r1", "r2"]
    traffic.ask("r3")
    assert read(Tail(traffic.version_folder, dict(tail.done))) == ["r3"]
    traffic.log().roll(everything=True)
    assert read(Tail(traffic.version_folder, dict(tail.done))) == ["r3"]
    assert read(Tail(traffic.version_folder, {"2026-11-05T14-W-0": 3})) == []


def test_whoever_stops_gets_the_rest_the_next_time(traffic: Traffic) -> None:
    for writer in ("one", "two", "three"):
        traffic.ask(writer, writer=writer)
    tail = Tail(traffic.version_folder)
    first = next(tail.read())
    assert tail.done == {first.stem: 1}
    assert read(tail) == ["three", "two"]


def test_a_torn_batch_is_left_until_it_is_whole(traffic: Traffic) -> None:
    traffic.ask("r1")
    (stream,) = traffic.version_folder.iterdir()
    before = stream.stat().st_size
    traffic.ask("r2")
    content = stream.read_bytes()
    tail = Tail(traffic.version_folder)
    given = []
    for length in [*range(0, len(content), 97), len(content)]:
        stream.write_bytes(content[:length])
        given.append((length, read(tail)))
    assert [ids for _, ids in given if ids] == [["r1"], ["r2"]]
    assert next(length for length, ids in given if ids) >= before


def test_a_torn_end_of_a_killed_writer_is_no_row(traffic: Traffic) -> None:
    traffic.ask("r1")
    (stream,) = traffic.version_folder.iterdir()
    whole = stream.read_bytes()
    traffic.ask("r2")
    traffic.log().close()
    stream.write_bytes(stream.read_bytes()[: len(whole) + 300])
    tail = Tail(traffic.version_folder)
    assert read(tail) == ["r1"]
    assert read(tail) == []
    traffic.log("other").roll(everything=True)
    assert read(tail) == []
    assert tail.done == {"2026-11-05T14-W-0": 1}


def test_a_file_that_is_removed_is_forgotten(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    tail = Tail(traffic.version_folder)
    assert read(tail) == ["r1"]
    for file in traffic.version_folder.iterdir():
        file.unlink()
    assert read(tail) == []
    assert tail.done == {}
    traffic.ask("r2")  # under the very name of the first
    assert read(tail) == ["r2"]


def test_another_file_under_a_name_that_was_free_is_read_whole(traffic: Traffic) -> None:
    traffic.ask("r1", "r2")
    traffic.log().roll(everything=True)
    tail = Tail(traffic.version_folder)
    assert read(tail) == ["r1", "r2"]
    for file in traffic.version_folder.iterdir():
        file.unlink()
    traffic.ask("r3")
    assert read(tail) == ["r3"]


def test_a_folder_that_goes_and_comes_back_is_followed(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    tail = Tail(traffic.version_folder)
    assert read(tail) == ["r1"]
    for file in traffic.version_folder.iterdir():
        file.unlink()
    traffic.version_folder.rmdir()
    assert read(tail) == []
    traffic.ask("r2")
    assert read(tail) == ["r2"]


def test_files_begun_before_an_hour_are_ignored(traffic: Traffic, clock: Clock) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    clock.move(hours=1)
    traffic.ask("r2")
    assert read(Tail(traffic.version_folder, since=clock())) == ["r2"]
    clock.move(minutes=-30)
    assert read(Tail(traffic.version_folder, since=clock())) == ["r2"]
    clock.move(minutes=-1)
    assert read(Tail(traffic.version_folder, since=clock())) == ["r1", "r2"]


def test_a_damaged_file_is_told_and_the_others_are_read(traffic: Traffic) -> None:
    traffic.ask("r1")
    traffic.log().roll(everything=True)
    (file,) = traffic.version_folder.iterdir()
    file.write_bytes(b"PAR1 and no more")
    traffic.ask("r2")
    tail = Tail(traffic.version_folder)
    assert read(tail) == ["r2"]
    assert [*tail.damaged] == ["2026-11-05T14-W-0"]
    file.unlink()
    assert read(tail) == []
    assert tail.damaged == {}


_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from seatrial.inference.answer import Answer
from seatrial.inference.signature import Input, Signature
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog

NUMBERS = Signature((Input("a", "FP32"), Input("b", "FP32")), "classes", (0, 1))
log = TrafficLog(Path({folder!r}), sys.argv[1], lambda: datetime.now(UTC), lambda _: NUMBERS,
                 roll_bytes=50_000)
log.redact({{"m": ()}})
head = record.head("m", 3, "sha256:" + 64 * "0")
answer = Answer(np.array([1]), np.array([[0.25, 0.75]], np.float32))
for number in range(10**9):
    ids = [f"{{sys.argv[1]}}-{{number}}-{{each}}".encode() for each in range(20)]
    matrix = np.zeros((1, 2), np.float32)
    log.append([record.of_matrix(head, number, 9, each, matrix, answer) for each in ids])
    if number % 7 == 0:
        log.roll()
"""


@pytest.mark.slow
def test_beside_writers_that_are_killed_every_row_comes_once(tmp_path: Path) -> None:
    folder = tmp_path / "traffic"
    code = _WRITER.format(folder=str(folder))
    tail, given = Tail(folder / "m" / "v3"), list[str]()
    for name in ("one", "two", "three"):
        writer = subprocess.Popen([sys.executable, "-c", code, name])
        ends = time.monotonic() + 20
        begun = len(given)
        while len(given) < begun + 2000 and time.monotonic() < ends:
            given += read(tail)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        if name == "two":  # the reader is another process from here on
            tail = Tail(tail.folder, dict(tail.done))
        given += read(tail)
    logged = [
        each
        for _, table in reading.tables_in(folder / "m" / "v3")
        for each in table["id"].to_pylist()
    ]
    assert len(given) > 5000
    assert sorted(given) == sorted(logged)
    assert len(set(given)) == len(given)


def test_a_stream_that_may_not_be_read_is_told(traffic: Traffic) -> None:
    traffic.ask("r1")
    (stream,) = traffic.version_folder.iterdir()
    content = stream.read_bytes()
    stream.unlink()
    stream.mkdir()  # whoever is root may read everything else
    tail = Tail(traffic.version_folder)
    assert read(tail) == []
    assert [*tail.damaged] == ["2026-11-05T14-W-0"]
    stream.rmdir()
    stream.write_bytes(content)
    assert read(tail) == ["r1"]

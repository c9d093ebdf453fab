"""Writers that are killed, disks that are full: what was written stays whole."""

from __future__ import annotations

import subprocess
import sys
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from seatrial.traffic import reading

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.traffic.log import TrafficLog

    from .conftest import Traffic

HEAD = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from seatrial.inference.answer import Answer
from seatrial.inference.signature import Input, Signature
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog

signature = Signature((Input("a", "FP32"), Input("b", "FP32")), "classes", (0, 1))
head = record.head("m", 3, "sha256:" + 64 * "0")

def asked(number, rows=1):
    cells = np.full((rows, 2), number, np.float32)
    answer = Answer(np.zeros(rows, np.int64), np.zeros((rows, 2), np.float32))
    return record.of_matrix(head, number, 9, f"r{number:06d}".encode(), cells, answer)

log = TrafficLog(Path(sys.argv[1]), "dead", lambda: datetime(2026, 11, 5, 14, tzinfo=UTC),
                 lambda digest: signature)
log.redact({"m": ()})
"""


def script(body: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", HEAD + dedent(body), str(folder)]


def test_after_a_kill_all_that_was_told_written_is_read(traffic: Traffic) -> None:
    body = """
        number = 0
        while True:
            log.append([asked(number + each) for each in range(50)])
            number += 50
            print(number, flush=True)
            if number % 1000 == 0:
                log.roll(everything=True)
    """
    with subprocess.Popen(script(body, traffic.folder), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(60)]
        child.kill()
        told += [int(line) for line in child.stdout.read().split()]
    found = reading.read(traffic.folder, "m")[3]["id"].to_pylist()
    assert len(found) == len(set(found))
    assert found[: told[-1]] == [f"r{number:06d}" for number in range(told[-1])]
    traffic.log().roll()  # the next writer takes over what the dead one left
    assert not [*traffic.version_folder.glob("*.arrows")]
    assert reading.read(traffic.folder, "m")[3]["id"].to_pylist() == found


def test_a_full_disk_is_told_and_leaves_no_half_batch(traffic: Traffic) -> None:
    body = """
        most = 60_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        written = refused = 0
        for number in range(40):
            kept = log.append([asked(number * 100 + each) for each in range(100)])
            written += kept.written
            refused += len(kept.refused)
            assert not kept.unreadable
        print(written, refused, len(log.roll(everything=True)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        kept = log.append([asked(9_999)])
        print(kept.written, len(log.roll()))
    """
    done = subprocess.run(script(body, traffic.folder), capture_output=True, text=True, check=True)
    (written, refused, _), (again, not_rolled) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert written + refused == 4000
    assert 0 < written < 2000
    assert (again, not_rolled) == (1, 0)
    found = reading.read(traffic.folder, "m")[3]["id"].to_pylist()
    assert sorted(found) == [*(f"r{number:06d}" for number in range(written)), "r009999"]


def test_a_stream_goes_on_after_the_disk_has_room_again(traffic: Traffic) -> None:
    body = """
        log.append([asked(0)])
        most = sum(path.stat().st_size for path in Path(sys.argv[1]).rglob("*.arrows")) + 700
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        refused = log.append([asked(1, rows=1000)]).refused
        assert len(refused) == 1, refused
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert log.append([asked(2)]).written == 1
        assert log.append(refused).written == 1
    """
    subprocess.run(script(body, traffic.folder), check=True)
    table = reading.read(traffic.folder, "m")[3]
    assert list(dict.fromkeys(table["id"].to_pylist())) == ["r000000", "r000002", "r000001"]
    assert table.num_rows == 1002


def test_a_disk_without_room_for_parquet_keeps_the_stream(traffic: Traffic) -> None:
    body = """
        rng = np.random.default_rng(1)
        for number in range(20):
            log.append([asked(number, rows=1000)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        reasons = log.roll(everything=True)
        assert "cannot be rolled" in reasons[0], reasons
    """
    subprocess.run(script(body, traffic.folder), check=True)
    assert [path.suffix for path in traffic.version_folder.iterdir()] == [".arrows"]
    traffic.log().roll()
    assert [path.suffix for path in traffic.version_folder.iterdir()] == [".parquet"]
    assert reading.read(traffic.folder, "m")[3].num_rows == 20_000


def test_a_folder_that_cannot_be_made_refuses_and_comes_back(traffic: Traffic) -> None:
    traffic.folder.write_text("a file is in the way")
    kept = traffic.ask("r1")
    assert (kept.written, len(kept.refused)) == (0, 1)
    traffic.folder.unlink()
    assert traffic.log().append(kept.refused).written == 1


def test_readers_see_whole_rows_while_a_writer_writes_and_rolls(traffic: Traffic) -> None:
    body = """
        for number in range(0, 4_000, 20):
            log.append([asked(number + each, rows=3) for each in range(20)])
            if number % 500 == 0:
                log.roll(everything=True)
    """
    with subprocess.Popen(script(body, traffic.folder)) as child:
        least = 0
        while child.poll() is None:
            tables = reading.read(traffic.folder, "m")
            rows = tables[3].num_rows if tables else 0
            assert rows >= least
            assert rows % 60 == 0
            least = rows
            time.sleep(0.001)
    assert reading.read(traffic.folder, "m")[3].num_rows == 12_000


@pytest.mark.parametrize("writers", [2])
def test_two_writers_roll_and_clear_up_at_once(traffic: Traffic, writers: int) -> None:
    logs: list[TrafficLog] = [traffic.log(f"W{number}") for number in range(writers)]
    for turn in range(20):
        for number, log in enumerate(logs):
            log.append([traffic.asked(f"{turn}-{number}")])
            log.roll(everything=turn % 3 == number)
            log.retain({})
    assert len(set(reading.read(traffic.folder, "m")[3]["id"].to_pylist())) == 20 * writers

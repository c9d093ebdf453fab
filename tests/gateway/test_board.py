"""The board: a reader sees the newest whole document or the one before, whatever the writer did."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import StoreError
from seatrial.gateway.board import MODELS, Board
from seatrial.gateway.ring import Reader, Ring

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from types import ModuleType

    Play = Callable[..., subprocess.Popen[str]]
    Dies = Callable[..., bool]
    AtStep = Callable[..., bool]


@pytest.fixture
def board() -> Iterator[Board]:
    made = Board.create(3, cell_bytes=2048)
    yield made
    made.close()


def again(board: Board) -> Board:
    """The same board, as another process opens it."""
    return Board.open(os.dup(board.fd))


def test_no_reader_sees_a_mixed_document_or_an_older_one(board: Board, play: Play) -> None:
    play("write", board.fd)
    readers = [play("read", board.fd, 1.0) for _ in range(2)]
    for reader in readers:
        assert json.loads(reader.communicate(timeout=60)[0]) == "whole"


def test_a_writer_is_killed_and_its_successor_goes_on(
    board: Board, play: Play, players: ModuleType
) -> None:
    moments = random.Random(5)  # noqa: S311 - when to kill is no secret
    generation = 0
    for _ in range(20):
        writer = play("write", board.fd)
        while board.generation() <= generation + 1:
            assert writer.poll() is None
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.005))
        writer.send_signal(signal.SIGKILL)
        writer.wait(10)
        generation, wanted = board.wanted()
        assert players.whole(wanted) == generation == board.generation()
        other = board.read(1)
        assert other
        assert generation - 1 <= players.whole(other) <= generation


def test_a_writer_dies_at_every_step(board: Board, dies: Dies) -> None:
    board.publish({"number": 1, "body": "a" * 500})
    for step in count():
        generation, before = board.wanted()
        new = {"number": generation + 1, "body": "ab"[step % 2] * 500}
        died = dies(step, lambda: board.publish(new))  # noqa: B023 - called here
        assert board.wanted() in ((generation, before), (generation + 1, new))
        assert board.generation() == board.wanted()[0]
        board.publish(before)
        assert board.wanted()[1] == before
        if not died:
            assert step > 30
            return


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_writer_writes_at_every_step_of_a_read(
    times: int, board: Board, at_step: AtStep, players: ModuleType
) -> None:
    number = 0

    def write() -> None:
        nonlocal number
        for _ in range(times):
            number += 1
            board.publish(players.document(number))

    write()
    for step in count():
        before, seen = number, []
        reached = at_step(step, lambda: seen.append(board.wanted()), write)  # noqa: B023 - called here
        ((generation, wanted),) = seen
        assert before <= generation <= number
        assert players.whole(wanted) == generation
        if not reached:
            assert step > 30
            return


def test_cells_know_nothing_of_each_other(board: Board) -> None:
    assert [board.read(cell) for cell in range(3)] == [None] * 3
    assert (board.generation(), board.wanted()) == (0, (0, {}))
    for number in range(5):
        for cell in range(3):
            board.write(cell, {"is": cell, "number": number})
    assert [board.read(cell) for cell in range(3)] == [{"is": c, "number": 4} for c in range(3)]


def test_a_successor_goes_on_with_the_sequence(board: Board) -> None:
    board.publish({"a": 1})
    successor = again(board)
    successor.publish({"a": 2})
    assert board.wanted() == (2, {"a": 2})
    successor.close()


def test_a_document_fills_a_cell_but_no_more(board: Board) -> None:
    board.write(2, {"a": "x" * (2048 - 8)})
    with pytest.raises(ValueError, match="for cell 2 has 2049 bytes, the cell has 2048"):
        board.write(2, {"a": "y" * (2049 - 8)})
    assert board.read(2) == {"a": "x" * 2040}
    assert board.read(1) is None


def test_there_is_no_cell_outside_the_board(board: Board) -> None:
    for cell in (-1, 3):
        with pytest.raises(IndexError, match=f"cells 0 to 2, not {cell}"):
            board.write(cell, {})
        with pytest.raises(IndexError):
            board.read(cell)


def test_switches_are_seen_by_everyone_and_touch_nothing_else(board: Board) -> None:
    other = again(board)
    board.write(0, {"first": "cell"})
    for index in range(MODELS):
        board.active[index] = 2**32 - 1 - index
    assert list(other.active) == [2**32 - 1 - index for index in range(MODELS)]
    assert other.wanted() == (1, {"first": "cell"})
    with pytest.raises(IndexError):
        board.active[MODELS] = 1
    other.close()


def test_a_damaged_cell_says_so(board: Board) -> None:
    board.write(1, {"a": "x" * 100})
    board._map[board._map.find(b"xxxx")] ^= 1
    with pytest.raises(StoreError, match="cell 1 of the gateway's board is damaged"):
        board.read(1)
    board.write(1, {"b": 1})
    assert board.read(1) == {"b": 1}


def test_strangers_are_refused(board: Board, tmp_path: Path) -> None:
    ring = Ring.create(4096)
    with pytest.raises(StoreError, match="something else"):
        Board.open(ring.fd)
    board._words[1] += 1
    with pytest.raises(StoreError, match="has layout 2 of"):
        Board.open(board.fd)
    board._words[1] -= 1
    os.ftruncate(board.fd, os.fstat(board.fd).st_size + 4096)
    with pytest.raises(StoreError, match="has layout 1 of"):
        Board.open(board.fd)
    for body in (b"", b"st-board", b"a" * 5000):
        (tmp_path / "file").write_bytes(body)
        with (tmp_path / "file").open("r+b") as file, pytest.raises(StoreError):
            Board.open(file.fileno())
    ends = os.pipe()
    with pytest.raises(StoreError):
        Board.open(ends[0])
    for end in ends:
        os.close(end)
    with pytest.raises(StoreError):
        Board.open(ends[0])
    ring.close()


def test_the_memory_is_gone_with_its_last_holder(play: Play) -> None:
    ring = Ring.create(1 << 20)
    inode = os.fstat(ring.fd).st_ino
    putter = play("put", ring.fd, 1 << 40)
    while not ring.records:
        assert putter.poll() is None
        time.sleep(0.001)
    assert inode in mapped(putter.pid)
    assert inode in mapped(os.getpid())
    putter.send_signal(signal.SIGKILL)
    putter.wait(10)
    fd = ring.fd
    ring.close()
    assert inode not in mapped(os.getpid())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def mapped(pid: int) -> set[int]:
    """Inodes of the files that a program has in its memory."""
    lines = Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines()
    return {int(line.split()[4]) for line in lines}


def test_without_memory_files_nothing_is_left_in_the_folder(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    board, ring = Board.create(2, folder=tmp_path), Ring.create(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert os.fstat(ring.fd).st_dev == tmp_path.stat().st_dev
    reader = Reader(ring)
    assert play("put", ring.fd, 1000).wait(10) == 0
    assert len(reader.take(2000)) == 1000
    board.publish({"a": 1})
    assert again(board).wanted() == (1, {"a": 1})
    board.close()
    ring.close()
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_said_when_the_memory_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with pytest.raises(StoreError, match=r"no room for 1099511627776\.0 MB of shared memory"):
        Ring.create(1 << 60, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StoreError, match="missing"):
        Ring.create()

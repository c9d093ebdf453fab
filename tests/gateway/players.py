"""Other processes on a ring or a board: ``players.py ROLE FD …``; each prints what it saw."""

from __future__ import annotations

import json
import os
import sys
import time
from zlib import crc32

from seatrial.gateway.board import Board
from seatrial.gateway.ring import Position, Reader, Ring

SWITCHES = (0x11111111, 0xEEEEEEEE)
ENOUGH = 10
"""Generations: a reader on a busy machine goes on until the writer had its turns too."""


def content(number: int) -> bytes:
    """What record ``number`` (from 1) of every test is: 8 to 600 bytes, now and then 4 kB."""
    times = 500 if number % 997 == 0 else 1 + number * 2654435761 % 75
    return number.to_bytes(8, "little") * times


def number_of(record: bytes) -> int:
    """Which record this is; demands that it is whole."""
    number = int.from_bytes(record[:8], "little")
    assert record == content(number), f"record {number} is torn"
    return number


def document(number: int) -> dict[str, object]:
    """A document whose parts tell whether they belong together."""
    body = str(number) * (1 + number * 31 % 400)
    return {"number": number, "body": body, "checksum": crc32(body.encode())}


def whole(told: dict[str, object]) -> int:
    """The document's number; demands that all of it was written at once."""
    number = told["number"]
    assert isinstance(number, int)
    assert told == document(number), f"document {number} is mixed"
    return number


def tell(seen: object) -> None:
    """Say it to the test, one line of JSON each."""
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


def put(fd: int, until: int) -> None:
    """Put records until there are so many, as fast as possible."""
    ring = Ring.open(fd)
    parent = os.getppid()
    for number in range(ring.records + 1, until + 1):
        assert ring.put(content(number))
        if number % 1000 == 0 and os.getppid() != parent:
            return


def take(fd: int, until: int, pause_us: int) -> None:
    """Take until so many records were put; between takes, rest."""
    reader = Reader(Ring.open(fd), Position(0, 0))
    tell("there")
    taken = last = 0
    while reader.position.records < until:
        for record in reader.take(500):
            number = number_of(record)
            assert number > last, f"{number} after {last}"
            last = number
            taken += 1
        time.sleep(pause_us / 1e6)
    tell({"taken": taken, "lost": reader.lost})


def write(fd: int) -> None:
    """Publish, write cell 1 and flip a switch, until the test is gone."""
    parent = os.getppid()
    board = Board.open(fd)
    number = board.generation()
    while os.getppid() == parent:
        number += 1
        board.publish(document(number))
        board.write(1, document(number))
        board.active[5] = SWITCHES[number & 1]


def read(fd: int, duration_s: float) -> None:
    """Read all that ``write`` writes; demand that it is whole and never goes back."""
    board = Board.open(fd)
    generations: set[int] = set()
    generation = last = 0
    ends = time.monotonic() + duration_s
    while time.monotonic() < ends or len(generations) < ENOUGH:
        known = board.generation()
        wanted, told = board.wanted()
        assert wanted >= known >= generation
        generation = wanted
        assert not told or whole(told) == wanted
        other = board.read(1)
        if other is not None:
            assert whole(other) >= last
            last = whole(other)
        assert board.active[5] in {0, *SWITCHES}
        generations.add(wanted)
    tell("whole")


if __name__ == "__main__":
    role, shared, *rest = sys.argv[1:]
    if role == "put":
        put(int(shared), *map(int, rest))
    elif role == "take":
        take(int(shared), *map(int, rest))
    elif role == "write":
        write(int(shared))
    else:
        read(int(shared), float(rest[0]))

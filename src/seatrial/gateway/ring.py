"""Records from one worker to those who log and shadow them: a ring in shared memory.

The worker writes and never looks at its readers; the oldest records are overwritten. Each reader
goes its own pace and counts exactly what it missed.

A *position* counts bytes since the ring was made; its place is the remainder by the capacity.
A frame is a head (length, CRC-32, number of the record from 1) and the record, up to the next
multiple of 16; no frame crosses the ring's end. To write one, the worker first moves ``reserve``
behind it, so that readers know which old bytes are no longer whole; then writes it; then commits
it with one store of ``records``. A worker that is killed before that store wrote nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from seatrial.gateway.memory import Memory

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 16
"""Places in a ring where readers keep their positions."""

SMALLEST_BYTES = 4096

_KIND, _LAYOUT = b"st-ring.", 1
_HEADER = 1024
_HEAD = struct.Struct("@IIQ")
_PAD = 0xFFFF_FFFF
"""In place of a length: nothing from here to the ring's end."""

# Words of the header.
_RESERVE, _RECORDS, _TOO_BIG = 3, 4, 5
_ENDS = 8
"""Where record n ends, at n % 8: so ``records`` alone commits both number and position."""
_SECTORS, _SECTOR_COUNT = 16, 16
"""Where the first frame of each sixteenth starts: whoever was overtaken goes on there."""
_KEPT, _KEPT_WORDS = 32, 5
"""Of each slot: a count of its turns, and two positions in turns."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records: the byte position, and how many records lie before it."""

    at: int
    records: int


class Ring:
    """The ring; one process puts, any others read with a :class:`Reader`.

    >>> ring = Ring.create(size_bytes=4096)
    >>> reader = Reader(Ring.open(ring.fd))
    >>> ring.put(b"first"), ring.put(b"second"), ring.put(bytes(4000))
    (True, True, False)
    >>> reader.take(10), reader.lost, ring.records, ring.too_big
    ([b'first', b'second'], 0, 2, 1)
    """

    def __init__(self, memory: Memory) -> None:
        self.fd = memory.fd
        self.capacity = _capacity(len(memory.map))
        self.most_bytes = len(memory.map) // 4
        """The largest record."""
        self._memory = memory
        self._map = memory.map
        self._words = memory.words
        # What only the one who puts uses: where the next frame starts, in bytes of the map; what
        # makes a position of that; what was put; and where `put` must look closer (at first: now).
        self._start = 0
        self._lap = 0
        self._number = 0
        self._fence = 0

    @classmethod
    def create(cls, size_bytes: int = 8 << 20, *, folder: Path | None = None) -> Ring:
        """A new ring of that many bytes in all; see :meth:`Memory.create`."""
        if size_bytes < SMALLEST_BYTES or size_bytes % 8:
            raise ValueError(
                f"a ring of {size_bytes} bytes: at least {SMALLEST_BYTES}, a multiple of 8"
            )
        return cls(Memory.create(_KIND, _LAYOUT, size_bytes, folder))

    @classmethod
    def open(cls, fd: int) -> Ring:
        """The ring that the supervisor made; StoreError when this is none of this layout."""
        return cls(Memory.open(fd, _KIND, _LAYOUT))

    @property
    def records(self) -> int:
        """Records put since the ring was made."""
        return self._words[_RECORDS]

    @property
    def too_big(self) -> int:
        """Records refused because they were too big."""
        return self._words[_TOO_BIG]

    def put(self, record: bytes) -> bool:
        """Put a record, over the oldest ones; False when it is larger than a quarter of the ring.

        This is on the request path: about a microsecond, no call that can block.
        """
        length = len(record)
        start = self._start
        stop = start + (length + 31 & -16)
        if stop > self._fence:
            if length > self.most_bytes:
                self._words[_TOO_BIG] += 1
                return False
            start = self._turn(stop - start)
            stop = start + (length + 31 & -16)
        words = self._words
        end = self._lap + stop
        words[_RESERVE] = end
        number = self._number + 1
        _HEAD.pack_into(self._map, start, length, crc32(record), number)
        start += 16
        self._map[start : start + length] = record
        self._start = stop
        self._number = number
        words[_ENDS + (number & 7)] = end
        words[_RECORDS] = number
        return True

    def _turn(self, size: int) -> int:
        """Where the next frame of so many bytes starts, when it may be in another sector or lap."""
        if not self._fence:
            self._resume()
        words, start = self._words, self._start
        last = _HEADER + self.capacity
        if start + size > last:
            words[_RESERVE] = self._lap + last + size
            if start < last:
                _HEAD.pack_into(self._map, start, _PAD, 0, self._number + 1)
            self._lap += self.capacity
            start = _HEADER
        else:
            words[_RESERVE] = self._lap + start + size
        sector_bytes = self.capacity // _SECTOR_COUNT
        sector = (start - _HEADER) // sector_bytes
        begins = _HEADER + sector * sector_bytes
        if words[_SECTORS + sector] < self._lap + begins:
            words[_SECTORS + sector] = self._lap + start
        self._fence = begins + sector_bytes
        return start

    def _resume(self) -> None:
        """Go on behind the last whole record, whoever put it."""
        end = self.end()
        self._number = end.records
        self._start = _HEADER + end.at % self.capacity
        self._lap = end.at - self._start
        # A predecessor that was killed left half a frame. `reserve` may go back now, so readers
        # must not take those bytes for anything: no record has number 0.
        for at in range(end.at, self._words[_RESERVE], 16):
            _HEAD.pack_into(self._map, _HEADER + at % self.capacity, 0, 0, 0)

    def end(self) -> Position:
        """Behind the newest record."""
        words = self._words
        while True:
            records = words[_RECORDS]
            at = words[_ENDS + (records & 7)]
            # The same word is next written for record n + 8, once n + 7 are there.
            if words[_RECORDS] - records < 7:  # noqa: PLR2004
                return Position(at, records)

    def frame(self, at: int) -> tuple[int, bytes | None] | None:
        """The frame at a position: its record's number and the record.

        The record is ``None`` where the ring has nothing up to its end; all is ``None`` when
        there is no whole frame (any more).
        """
        start = _HEADER + at % self.capacity
        length, checksum, number = _HEAD.unpack_from(self._map, start)
        record = None
        if length <= self.most_bytes:
            start += 16
            record = self._map[start : start + length]
            if crc32(record) != checksum:
                return None
        elif length != _PAD:
            return None
        # Asked only now: what was overwritten while it was copied is not whole.
        return (number, record) if self.holds(at) else None

    def holds(self, at: int) -> bool:
        """Whether what was put at a position is not overwritten, nor just being overwritten."""
        return self._words[_RESERVE] - at <= self.capacity

    def sectors(self) -> list[int]:
        """Positions at which frames were begun, one in each sixteenth of the ring, oldest first."""
        return sorted(self._words[_SECTORS : _SECTORS + _SECTOR_COUNT])

    def keep(self, slot: int, position: Position | None) -> None:
        """Keep a reader's position for its successor; each slot has one reader."""
        word, words = _slot(slot), self._words
        if position is None:
            words[word] = 0
            return
        turn = words[word] + 1
        entry = word + 1 + 2 * (turn & 1)
        words[entry], words[entry + 1] = position.at, position.records
        words[word] = turn

    def kept(self, slot: int) -> Position | None:
        """The position last kept there, if any."""
        word, words = _slot(slot), self._words
        if not words[word]:
            return None
        entry = word + 1 + 2 * (words[word] & 1)
        return Position(words[entry], words[entry + 1])

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()


class Reader:
    """Takes records from a ring, beginning at a kept position or at the newest end.

    ``lost`` counts the records that were overwritten before this reader took them.
    """

    def __init__(self, ring: Ring, position: Position | None = None) -> None:
        end = ring.end()
        if position is None:
            position = end
        elif position.at > end.at or position.records > end.records:
            raise ValueError(f"{position} is not in this ring, which ends at {end}")
        self.lost = 0
        self._ring = ring
        self._at = position.at
        self._number = position.records
        self._doubted = -1

    @property
    def position(self) -> Position:
        """Behind the last record that was taken or lost."""
        return Position(self._at, self._number)

    @property
    def lag(self) -> int:
        """Records that are there, or were, and are neither taken nor counted as lost."""
        return self._ring.records - self._number

    def take(self, limit: int) -> list[bytes]:
        """The next records, up to ``limit``, in order; none when there are none."""
        taken: list[bytes] = []
        end = self._ring.end()
        frame = self._ring.frame
        while self._at < end.at and len(taken) < limit:
            found = frame(self._at)
            if found is None or found[0] != self._number + 1:
                if not self._leap():
                    break
                continue
            record = found[1]
            if record is None:
                self._at += self._ring.capacity - self._at % self._ring.capacity
            else:
                taken.append(record)
                self._at += len(record) + 31 & -16
                self._number += 1
        return taken

    def _leap(self) -> bool:
        """Go on at the oldest whole frame ahead, and count what lies between as lost."""
        ring, at = self._ring, self._at
        if ring.holds(at) and self._doubted != at:
            # Committed, not overwritten, and yet not whole: a machine that shows stores in
            # another order. Look again at the next call; what is still not whole then never is.
            self._doubted = at
            return False
        end = ring.end()
        for ahead in ring.sectors():
            if at < ahead < end.at:
                found = ring.frame(ahead)
                if found is not None and found[0] > self._number:
                    end = Position(ahead, found[0] - 1)
                    break
        self.lost += end.records - self._number
        self._at, self._number = end.at, end.records
        return True


def _capacity(size_bytes: int) -> int:
    return (size_bytes - _HEADER) // 256 * 256


def _slot(slot: int) -> int:
    if not 0 <= slot < SLOTS:
        raise IndexError(f"a ring has slots 0 to {SLOTS - 1}, not {slot}")
    return _KEPT + slot * _KEPT_WORDS

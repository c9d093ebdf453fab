"""What the processes of one gateway tell each other: a shared board of JSON documents.

Each cell has one writer and any number of readers, and nobody waits for anybody. A cell holds
its newest document and room for the next; one store of its sequence number turns to the new one.
A writer that is killed anywhere leaves the newest whole document in place.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

import orjson

from seatrial.errors import Mistake, StoreError
from seatrial.gateway.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MODELS = 64
"""Models that one board has switches for."""

_KIND, _LAYOUT = b"st-board", 1
_CELLS, _CELL_BYTES = 3, 4
"""Words: how many cells, and the largest document in bytes."""
_ACTIVE = 64
_FIRST = _ACTIVE + 4 * MODELS
"""Bytes: the switches, and the first cell (its sequence number, then its two documents)."""
_SEQUENCE_BYTES = 16
_STAMP = struct.Struct("@QII")
"""In front of a document: its sequence number, its bytes, and their CRC-32."""
_ATTEMPTS = 1000


class Board:
    """The board; cell 0 says what is wanted, and its sequence number is the generation.

    >>> board = Board.create(cells=2)
    >>> board.publish({"models": []})
    >>> board.wanted()
    (1, {'models': []})
    >>> worker = Board.open(board.fd)
    >>> worker.write(1, {"ready": True})
    >>> board.read(1)
    {'ready': True}
    >>> board.active[0] = 7
    >>> worker.active[0]
    7
    """

    def __init__(self, memory: Memory) -> None:
        self.fd = memory.fd
        self.cells: int = memory.words[_CELLS]
        self.cell_bytes: int = memory.words[_CELL_BYTES]
        self.active = memoryview(memory.map)[_ACTIVE:_FIRST].cast("I")
        """Per model index, the version that answers (0: none).

        One item is one aligned 4-byte store (see :class:`Memory`): a request sees the version
        before or the version after, nothing else. This is the whole commit of a promotion.
        """
        self._memory = memory
        self._map = memory.map
        self._words = memory.words

    @classmethod
    def create(cls, cells: int, cell_bytes: int = 1 << 18, *, folder: Path | None = None) -> Board:
        """A new board for documents of up to ``cell_bytes`` bytes; see :meth:`Memory.create`."""
        size_bytes = _FIRST + cells * _stride(cell_bytes)
        memory = Memory.create(_KIND, _LAYOUT, size_bytes, folder)
        memory.words[_CELLS], memory.words[_CELL_BYTES] = cells, cell_bytes
        return cls(memory)

    @classmethod
    def open(cls, fd: int) -> Board:
        """The board that the supervisor made; StoreError when this is none of this layout."""
        return cls(Memory.open(fd, _KIND, _LAYOUT))

    def publish(self, document: Mapping[str, Any]) -> None:
        """Say what is wanted, for the supervisor; the generation grows by one."""
        self.write(0, document)

    def generation(self) -> int:
        """How often something was published."""
        return self._words[self._place(0) // 8]

    def wanted(self) -> tuple[int, dict[str, Any]]:
        """The generation and what was published with it; ``(0, {})`` before the first."""
        found = self._newest(0)
        return (0, {}) if found is None else (found[0], orjson.loads(found[1]))

    def write(self, cell: int, document: Mapping[str, Any]) -> None:
        """Replace the cell's document; ValueError when it is too large for the cell."""
        place = self._place(cell)
        body = orjson.dumps(document)
        length = len(body)
        if length > self.cell_bytes:
            raise ValueError(
                f"the document for cell {cell} has {length} bytes, the cell has {self.cell_bytes}"
            )
        sequence = self._words[place // 8] + 1
        at = self._document(place, sequence)
        _STAMP.pack_into(self._map, at, sequence, length, crc32(body))
        self._map[at + _STAMP.size : at + _STAMP.size + length] = body
        self._words[place // 8] = sequence

    def read(self, cell: int) -> dict[str, Any] | None:
        """The cell's newest document, ``None`` before the first."""
        found = self._newest(cell)
        return None if found is None else orjson.loads(found[1])

    def close(self) -> None:
        """Let go of the memory; ``active`` is of no use any more."""
        self.active.release()
        self._memory.close()

    def _newest(self, cell: int) -> tuple[int, bytes] | None:
        place = self._place(cell)
        for _ in range(_ATTEMPTS):
            sequence = self._words[place // 8]
            if not sequence:
                return None
            at = self._document(place, sequence)
            stamped, length, checksum = _STAMP.unpack_from(self._map, at)
            if stamped == sequence and length <= self.cell_bytes:
                body = self._map[at + _STAMP.size : at + _STAMP.size + length]
                if self._words[at // 8] == sequence and crc32(body) == checksum:
                    return sequence, body
            # The writer came round twice while we looked: look again.
            time.sleep(0)
        raise StoreError(
            Mistake(
                f"cell {cell} of the gateway's board is damaged",
                where=f"file descriptor {self.fd}",
                fix="stop `seatrial serve` and start it again: the board is made anew",
            )
        )

    def _place(self, cell: int) -> int:
        if not 0 <= cell < self.cells:
            raise IndexError(f"the board has cells 0 to {self.cells - 1}, not {cell}")
        return _FIRST + cell * _stride(self.cell_bytes)

    def _document(self, place: int, sequence: int) -> int:
        return place + _SEQUENCE_BYTES + (sequence & 1) * _room(self.cell_bytes)


def _stride(cell_bytes: int) -> int:
    return _SEQUENCE_BYTES + 2 * _room(cell_bytes)


def _room(cell_bytes: int) -> int:
    return _STAMP.size + (cell_bytes + 7 & ~7)

"""The newest rows that a version answered, whole and at hand: most labels come soon."""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ROWS_BYTES = 32 << 20
"""What is kept at hand, at most."""


@dataclass(slots=True)
class Recent:
    """Parts of files, by the file's number, newest kept; memory is bounded by ``most_bytes``."""

    most_bytes: int = ROWS_BYTES
    bytes: int = 0

    _parts: deque[tuple[int, int, Any]] = field(default_factory=deque)
    _by_file: dict[int, list[tuple[int, Any]]] = field(default_factory=dict)

    def add(self, file: int, first_row: int, table: Any) -> None:
        """Keep rows of a file, which come in order; the oldest go."""
        if first_row == 0 and file in self._by_file:
            self._drop([part for part in self._parts if part[0] == file])
        self._parts.append((file, first_row, table))
        self._by_file.setdefault(file, []).append((first_row, table))
        self.bytes += table.nbytes
        while self.bytes > self.most_bytes and len(self._parts) > 1:
            self._drop([self._parts[0]])

    def holds(self, file: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these rows ``[n]`` are at hand."""
        first = {number: parts[0][0] for number, parts in self._by_file.items()}
        never = np.iinfo(np.int64).max
        return row >= np.array([first.get(each, never) for each in file.tolist()], np.int64)

    def take(self, file: int, rows: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], Any]]:
        """Rows of a file that are at hand: places in ``rows``, each with the table of those."""
        parts = self._by_file[file]
        firsts = [first for first, _ in parts]
        within = np.array([bisect.bisect(firsts, row) - 1 for row in rows.tolist()], np.int64)
        taken = []
        for number in np.unique(within).tolist():
            places = np.flatnonzero(within == number)
            first, table = parts[number]
            taken.append((places, table.take(pa.array(rows[places] - first))))
        return taken

    def _drop(self, parts: Sequence[tuple[int, int, Any]]) -> None:
        """Forget parts, the oldest of their file."""
        for part in parts:
            file, _, table = part
            self._parts.remove(part)  # nearly always the first
            self.bytes -= table.nbytes
            del self._by_file[file][0]
            if not self._by_file[file]:
                del self._by_file[file]

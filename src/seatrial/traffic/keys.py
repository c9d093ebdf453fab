"""Where in the log does the request stand that a label is for? Answered for what came lately."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seatrial.traffic import reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

KEYS_BYTES = 32 << 20
"""What is remembered, at most: the keys of 1.6 million rows."""

_ROW_STEP = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that the rows of a request have keys that differ."""


class File(NamedTuple):
    """One file of a version's log, whichever its ending."""

    version: int
    stem: str


class Found(NamedTuple):
    """Rows of the log that may be meant, side by side: ``asked`` is the place of the question.

    ``file`` are numbers (see :meth:`Keys.file`), ``row`` rows of that file, ``time_us`` when they
    were answered.
    """

    asked: NDArray[np.int64]
    file: NDArray[np.int64]
    row: NDArray[np.int64]
    time_us: NDArray[np.int64]

    def of(self, chosen: NDArray[Any]) -> Found:
        """Some of them, by index or mask."""
        return Found(*(column[chosen] for column in self))


def keys(ids: Iterable[str], rows: NDArray[Any]) -> NDArray[np.uint64]:
    """A number ``[n]`` for each request and row in it: for this process alone.

    Equal ones are as good as certainly the same; whoever reads the row may look.
    """
    hashed = np.fromiter(map(hash, ids), np.int64, len(rows)).view(np.uint64)
    mixed: NDArray[np.uint64] = hashed + rows.astype(np.uint64) * _ROW_STEP
    return mixed


def together(found: Sequence[Found]) -> Found:
    """One after the other."""
    if not found:
        nothing = np.empty(0, np.int64)
        return Found(nothing, nothing, nothing, nothing)
    return Found(*map(np.concatenate, zip(*found, strict=True)))


@dataclass(slots=True)
class _Run:
    """Keys of one file in ascending order, with their rows and times."""

    key: NDArray[np.uint64]
    row: NDArray[np.uint32]
    time_us: NDArray[np.int64]

    @property
    def bytes(self) -> int:
        return self.key.nbytes + self.row.nbytes + self.time_us.nbytes


@dataclass(slots=True)
class Keys:
    """The keys of files that are followed, newest kept; memory is bounded by ``most_bytes``."""

    most_bytes: int = KEYS_BYTES
    bytes: int = 0
    gap_us: int = 0
    """What was answered until then may stand in a file that is not here (any more)."""

    _files: list[File] = field(default_factory=list)
    _numbers: dict[File, int] = field(default_factory=dict)
    _runs: dict[int, list[_Run]] = field(default_factory=dict)
    _whole: set[int] = field(default_factory=set)

    def number(self, file: File) -> int:
        """The number of a file; a new one if it had none."""
        number = self._numbers.setdefault(file, len(self._files))
        if number == len(self._files):
            self._files.append(file)
        return number

    def file(self, number: int) -> File:
        """The file of a number."""
        return self._files[number]

    def version(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The version ``[n]`` of each file."""
        return np.array([each.version for each in self._files] or [0], np.int64)[numbers]

    def whole(self, file: File) -> bool:
        """Whether every row of a file that was added is here, from its first one on."""
        return self._numbers.get(file, -1) in self._whole

    def add(self, file: File, first_row: int, table: Any) -> NDArray[np.uint64]:
        """Remember further rows of a file, a table with id, row and time; their keys."""
        number = self.number(file)
        if first_row == 0:  # it begins, or is another one under the name of one that was removed
            self._forget(number)
            self._whole.add(number)
        added = keys(table["id"].to_pylist(), table["row"].to_numpy())
        row = np.arange(first_row, first_row + len(added), dtype=np.uint32)
        runs = self._runs.setdefault(number, [])
        runs.append(_sorted(added, row, reading.microseconds(table)))
        self.bytes += runs[-1].bytes
        while len(runs) > 1 and len(runs[-2].key) <= 2 * len(runs[-1].key):
            one, other = runs.pop(-2), runs.pop()
            runs.append(
                _sorted(
                    np.concatenate([one.key, other.key]),
                    np.concatenate([one.row, other.row]),
                    np.concatenate([one.time_us, other.time_us]),
                )
            )
        while self.bytes > self.most_bytes and len(self._runs) > 1:
            oldest = next(iter(self._runs))
            self.gap_us = max(self.gap_us, *(int(r.time_us.max()) for r in self._runs[oldest]))
            self._forget(oldest)
        return added

    def find(self, asked: NDArray[np.uint64]) -> Found:
        """The rows that have these keys."""
        found = []
        for number, runs in self._runs.items() if len(asked) else ():
            for run in runs:
                begin = np.searchsorted(run.key, asked, "left")
                hits = np.flatnonzero(run.key[np.minimum(begin, len(run.key) - 1)] == asked)
                if len(hits):
                    counts = np.searchsorted(run.key, asked[hits], "right") - begin[hits]
                    at = np.repeat(begin[hits], counts) + _upto(counts)
                    file = np.full(len(at), number, np.int64)
                    row = run.row[at].astype(np.int64)
                    found.append(Found(np.repeat(hits, counts), file, row, run.time_us[at]))
        return together(found)

    def _forget(self, number: int) -> None:
        self.bytes -= sum(each.bytes for each in self._runs.pop(number, ()))
        self._whole.discard(number)


def _sorted(key: NDArray[np.uint64], row: NDArray[np.uint32], time_us: NDArray[np.int64]) -> _Run:
    order = np.argsort(key, kind="stable")
    return _Run(key[order], row[order], time_us[order])


def _upto(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, … for each count.

    >>> _upto(np.array([1, 3])).tolist()
    [0, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    return np.arange(counts.sum()) - np.repeat(ends - counts, counts)

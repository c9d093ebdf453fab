"""Where in the log does an older request stand that a label is for? One file is read at a time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seatrial.errors import StoreError
from seatrial.traffic import files, reading
from seatrial.traffic.keys import File, Found, keys, together
from seatrial.traffic.tail import told_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.traffic.keys import Keys
    from seatrial.traffic.waiting import Waiting

_SPAN = timedelta(hours=2)
"""A file that was begun in an hour holds nothing that was answered so long after it."""


@dataclass(slots=True, eq=False)
class Search:
    """``labels`` that are looked for together, in every version's files, newest first.

    Files that are wholly in ``known`` are not read again.
    """

    labels: Waiting
    known: Keys
    damaged: dict[str, str] = field(default_factory=dict)

    _files: list[tuple[int, Path]] = field(default_factory=list)
    _found: list[Found] = field(default_factory=list)
    _open: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    _told: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))

    @classmethod
    def begin(
        cls,
        traffic: Path,
        model: str,
        labels: Waiting,
        known: Keys,
        earliest: datetime,
    ) -> Search:
        """Look up which files there are, of those begun since ``earliest``; none is read yet."""
        listed = [
            (version, file)
            for version in files.versions(traffic, model)
            for file in files.listed(files.version_folder(traffic, model, version))
            if files.hour_of(file) >= earliest
        ]
        # the last of the list is the next to be read
        listed.sort(key=lambda each: (files.hour_of(each[1]), each[1].name))
        return cls(
            labels,
            known,
            _files=listed,
            _open=np.ones(len(labels), np.bool_),
            _told=np.zeros(len(labels), np.bool_),
        )

    def step(self) -> bool:
        """Read the next file; False when none is left, or nothing to look for."""
        while self._files and self._open.any():
            version, file = self._files.pop()
            if not self.known.whole(File(version, file.stem)):
                self._read(version, file)
                self._settle()
                return True
        self._open[:] = False
        return False

    def settled(self) -> NDArray[np.int64]:
        """The labels, by place, that no file which is left can say more about; each once."""
        places = np.flatnonzero(~self._open & ~self._told)
        self._told[places] = True
        return places

    def found_for(self, places: NDArray[np.int64]) -> Found:
        """The rows that were found for these labels; ``asked`` counts within ``places``."""
        found = together(self._found)
        at = np.full(len(self.labels), -1)
        at[places] = np.arange(len(places))
        asked = at[found.asked]
        return Found(asked, *found[1:]).of(asked >= 0)

    def _read(self, version: int, file: Path) -> None:
        wanted = sorted(set(self.labels.id[self._open].tolist()))
        try:
            table = _rows_of(file, wanted)
        except StoreError as error:
            self.damaged[file.stem] = told_of(error)
            return
        if table is not None and table.num_rows:
            have = keys(table["id"].to_pylist(), table["row"].to_numpy())
            label, at = _pairs(self.labels.key, have)
            number = np.full(len(at), self.known.number(File(version, file.stem)), np.int64)
            position = table["position"].to_numpy()[at]
            self._found.append(Found(label, number, position, reading.microseconds(table)[at]))

    def _settle(self) -> None:
        """Close what was found so late that no file which is left can hold a later request."""
        if not self._files or not self._found:
            return
        bound_us = int((files.hour_of(self._files[-1][1]) + _SPAN).timestamp() * 1e6)
        found = together(self._found)
        meant = (found.time_us <= self.labels.told_us[found.asked]) & (found.time_us >= bound_us)
        self._open[found.asked[meant]] = False


def _rows_of(file: Path, wanted: list[str]) -> Any | None:
    """id, row, time and position of the rows that have one of these ids, which are sorted."""
    if file.suffix == files.PARQUET and not _may_hold(file, wanted):
        return None
    table = reading.table_in(file, ["id", "row", "time"])
    if table is None:
        return None
    chosen = pc.is_in(table["id"], value_set=pa.array(wanted, pa.string()))
    position = np.flatnonzero(chosen.to_numpy(zero_copy_only=False))
    return table.take(pa.array(position)).append_column("position", pa.array(position))


def _may_hold(file: Path, wanted: list[str]) -> bool:
    """Whether a Parquet file's footer leaves room for one of these ids.

    Ids that ascend with time, as the gateway's own do, are so found without reading the rest.
    """
    try:
        about = pq.read_metadata(file)
    except (pa.ArrowInvalid, OSError):
        return True  # whoever reads it is told
    for group in range(about.num_row_groups):
        told = about.row_group(group).column(0).statistics
        if told is None or not told.has_min_max:
            return True
        at = bisect.bisect_left(wanted, told.min)
        if at < len(wanted) and wanted[at] <= told.max:
            return True
    return False


def _pairs(
    asked: NDArray[np.uint64], have: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places in both of what is equal: several labels may be for a row, and rows have one id.

    >>> _pairs(np.array([5, 3, 5], np.uint64), np.array([5, 9], np.uint64))
    (array([0, 2]), array([0, 0]))
    """
    order = np.argsort(asked, kind="stable")
    begin = np.searchsorted(asked[order], have, "left")
    counts = np.searchsorted(asked[order], have, "right") - begin
    ends = np.cumsum(counts)
    within = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
    return order[np.repeat(begin, counts) + within], np.repeat(np.arange(len(have)), counts)

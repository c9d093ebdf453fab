"""Which requests were answered lately, by which version, and where do they stand in the log?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seatrial.errors import StoreError
from seatrial.traffic import files, reading
from seatrial.traffic.keys import File, Keys
from seatrial.traffic.recent import Recent
from seatrial.traffic.tail import Tail, told_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.traffic.tail import Part

_KEYS = ("id", "row", "time")
_TIME = 2
"""The place of the times among the columns of a file."""

_COLUMNS = (*_KEYS, "prediction", "probabilities", "features")


@dataclass(slots=True)
class Answered:
    """Follows the logs of all versions of a model; of ``version`` the newest rows are at hand.

    Files that were begun before the hour of ``begun`` are left out. ``counted`` is how many rows
    of each file of ``version`` have been counted, by stem: kept and brought back, each row counts
    once.
    """

    traffic: Path
    model: str
    version: int
    begun: datetime
    since_us: int
    counted: dict[str, int]
    keys: Keys = field(default_factory=Keys)
    recent: Recent = field(default_factory=Recent)
    damaged: dict[str, str] = field(default_factory=dict)

    _tails: dict[int, Tail] = field(default_factory=dict)
    _followed: bool = False

    def follow(self) -> tuple[int, NDArray[np.uint64]]:
        """How many rows ``version`` has answered since ``since_us``, and the keys of all rows.

        Since the last time, that is.
        """
        logged, arrived = 0, [np.empty(0, np.uint64)]
        for version in files.versions(self.traffic, self.model):
            for part in self._tail(version).read():
                try:
                    if version == self.version:
                        logged += self._count(part)
                    if self._followed or part.read is not None:
                        arrived.append(self._add(version, part))
                    else:  # it was whole before anybody looked: found by a search, if ever
                        self.keys.gap_us = max(self.keys.gap_us, _latest_us(part.file))
                except StoreError as error:
                    self.damaged[part.stem] = told_of(error)
        self._followed = True
        return logged, np.concatenate(arrived)

    @property
    def all_damaged(self) -> set[str]:
        """What cannot be read, and why."""
        tails = [each.damaged for each in self._tails.values()]
        return {told for damaged in (self.damaged, *tails) for told in damaged.values()}

    def rows_of(self, file: File) -> Any | None:
        """All rows of a file; None when it is gone. StoreError when it is damaged."""
        folder = files.version_folder(self.traffic, self.model, file.version)
        return reading.table_in(folder / (file.stem + files.STREAM), _COLUMNS)  # or rolled by now

    def kept(self) -> dict[str, int]:
        """What ``counted`` is to be kept: of files that are still there."""
        tail = self._tails.get(self.version)
        there = self.counted if tail is None else tail.done
        return {stem: rows for stem, rows in self.counted.items() if stem in there}

    def _tail(self, version: int) -> Tail:
        if version not in self._tails:
            folder = files.version_folder(self.traffic, self.model, version)
            self._tails[version] = Tail(folder, since=self.begun)
        return self._tails[version]

    def _add(self, version: int, part: Part) -> NDArray[np.uint64]:
        own = version == self.version
        table = part.table(_COLUMNS if own else _KEYS)
        if table is None:
            return np.empty(0, np.uint64)
        file = File(version, part.stem)
        if own:
            self.recent.add(self.keys.number(file), part.first_row, table)
        return self.keys.add(file, part.first_row, table)

    def _count(self, part: Part) -> int:
        before = max(part.first_row, self.counted.get(part.stem, 0))
        end = part.first_row + part.rows
        if before >= end:
            return 0
        self.counted[part.stem] = end
        if int(files.hour_of(part.file).timestamp()) * 1_000_000 >= self.since_us:
            return end - before
        table = part.table(_KEYS)
        if table is None:
            return 0
        times = reading.microseconds(table)[before - part.first_row :]
        return int(np.count_nonzero(times >= self.since_us))


def _latest_us(file: Path) -> int:
    """When the last row of a Parquet file was answered; 0 when it is gone, or cannot be read."""
    try:
        about = pq.read_metadata(file)
    except (pa.ArrowInvalid, OSError):
        return 0
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    return max((int(each.column(_TIME).statistics.max_raw) for each in groups), default=0)

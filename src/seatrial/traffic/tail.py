"""What has come to a folder of the log since the last look?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from seatrial.traffic import files, reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from seatrial.errors import StoreError

_SETTLED_NS = 100_000_000
"""A folder's time has a coarse tick: that nothing changed since is believed after so long."""

_NOT_WHOLE = (EOFError, StopIteration, pa.ArrowInvalid, OSError)
"""What Arrow raises where a stream ends, or is torn."""


@dataclass(frozen=True, slots=True)
class Part:
    """New rows of one file: ``rows`` of them, from ``first_row`` on."""

    stem: str
    first_row: int
    rows: int
    file: Path
    read: Any | None = None
    """The rows of a stream, which had to be read; those of a Parquet file are read when asked."""

    def table(self, columns: Sequence[str] | None = None) -> Any | None:
        """The rows; columns that the file does not have are left out. None when it is gone.

        Raises StoreError when it is damaged.
        """
        if self.read is not None:
            return self.read if columns is None else reading.only(self.read, columns)
        table = reading.table_in(self.file, columns)
        return None if table is None else table.slice(self.first_row, self.rows)


@dataclass(slots=True)
class _Stream:
    """How far a stream was read: ``offset`` is where its next message begins.

    ``stamp`` is its size and time at the last look.
    """

    schema: Any = None
    offset: int = 0
    rows: int = 0
    stamp: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Tail:
    """Follows one folder; a look at which nothing is new costs one stat, and one for each stream.

    ``done`` is how many rows of each file were given, by its stem: kept and brought back, nothing
    is given twice. A stream that becomes Parquet keeps its stem and the order of its rows; a file
    that is removed is forgotten. Files that were begun before the hour of ``since`` are ignored.
    """

    folder: Path
    done: dict[str, int] = field(default_factory=dict)
    since: datetime | None = None
    damaged: dict[str, str] = field(default_factory=dict)
    """The files that cannot be read, by stem, and why: they are left out."""

    _open: dict[str, Path] = field(default_factory=dict)
    _streams: dict[str, _Stream] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)
    _listed_ns: int | None = None

    def read(self) -> Iterator[Part]:
        """What is new, oldest file first. What was given is done; whoever stops gets the rest."""
        self._list()
        for stem, file in [*self._open.items()]:
            try:
                part = self._of_stream(file) if file.suffix == files.STREAM else self._of_file(file)
            except FileNotFoundError:
                self._listed_ns = None  # rolled or removed: the next look says which
                continue
            except OSError as error:
                self.damaged[stem] = f"{file.name}: {error.strerror or error}"
                continue
            if part is not None and part.rows:
                self.done[stem] = part.first_row + part.rows
                yield part

    def _list(self) -> None:
        """Find out which files there are, unless the folder's time says that none has changed."""
        try:
            changed_ns = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            self._keep({})
            return
        if changed_ns == self._listed_ns:
            return
        settled = time.time_ns() - changed_ns > _SETTLED_NS
        self._keep({each.stem: each for each in files.listed(self.folder) if self._wanted(each)})
        self._listed_ns = changed_ns if settled else None

    def _wanted(self, file: Path) -> bool:
        if self.since is None:
            return True
        hour = self.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return files.hour_of(file) >= hour

    def _keep(self, found: dict[str, Path]) -> None:
        """Forget what is gone, and look from now on at what is not known to be complete."""
        for known in (self.done, self.damaged, self._streams):
            for stem in [*known]:
                if stem not in found:
                    del known[stem]
        for stem in [*self._whole]:
            if stem not in found:
                self._whole.discard(stem)
            elif found[stem].suffix == files.STREAM:  # another one, under a name that was free
                self._whole.discard(stem)
                self.done.pop(stem, None)
        self._open = {stem: file for stem, file in found.items() if stem not in self._whole}

    def _of_file(self, file: Path) -> Part | None:
        """What a Parquet file holds beyond what was given; it is complete then."""
        stem = file.stem
        try:
            rows = pq.read_metadata(file).num_rows
        except pa.ArrowInvalid as error:
            self.damaged[stem] = f"{file.name}: {str(error)[:120]}"
            rows = 0
        self._whole.add(stem)
        self._streams.pop(stem, None)
        del self._open[stem]
        begin = self.done.get(stem, 0)
        return Part(stem, begin, rows - begin, file) if rows > begin else None

    def _of_stream(self, file: Path) -> Part | None:
        """The whole batches that were appended; a torn one is left for later."""
        at = self._streams.setdefault(file.stem, _Stream())
        found = file.stat()
        stamp = found.st_size, found.st_mtime_ns
        if stamp == at.stamp:
            return None
        with file.open("rb") as opened:
            opened.seek(at.offset)
            content = opened.read()
        at.stamp = stamp
        batches = _appended(content, at)
        if not batches:
            return None
        table = pa.Table.from_batches(batches, at.schema)
        first, at.rows = at.rows, at.rows + table.num_rows
        begin = max(first, self.done.get(file.stem, 0))
        return Part(file.stem, begin, max(0, at.rows - begin), file, table.slice(begin - first))


def told_of(error: StoreError) -> str:
    """What is wrong with which file, in one line."""
    mistake = error.mistakes[0]
    return f"{mistake.where.rpartition('/')[2]}: {mistake.what}"


def _appended(content: bytes, at: _Stream) -> list[Any]:
    """The record batches of whole messages; moves ``at.offset`` behind them."""
    reader = pa.BufferReader(content)
    begin = at.offset
    batches = []
    try:
        if at.schema is None:
            at.schema = pa.ipc.read_schema(reader)
            at.offset = begin + reader.tell()
        while True:
            batches.append(pa.ipc.read_record_batch(pa.ipc.read_message(reader), at.schema))
            at.offset = begin + reader.tell()
    except _NOT_WHOLE:
        return batches

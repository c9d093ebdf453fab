"""What was asked of a version within one hour? Its logged columns, counted file by file.

Memory holds one file of the log and the keys of its predecessor, however busy the hour was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from seatrial.data.profiles.adding import add_column
from seatrial.data.profiles.as_read import tallied
from seatrial.errors import StoreError
from seatrial.traffic import files, reading
from seatrial.traffic.span import HOUR
from seatrial.traffic.tail import told_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seatrial.data.shape import ColumnProfile, Shape
    from seatrial.traffic.span import Span

_KEYS = ("id", "row", "time")


@dataclass(slots=True)
class Counted:
    """``rows`` of a span, and its columns on the shapes that were asked for.

    A column that was not logged for some of the rows counts the others only; ``unlogged`` are the
    names of those that were logged for none. ``damaged`` files could not be read.
    """

    rows: int = 0
    columns: tuple[ColumnProfile, ...] = ()
    unlogged: tuple[str, ...] = ()
    damaged: list[str] = field(default_factory=list)


def counted(traffic: Path, span: Span, shapes: Sequence[Shape]) -> Counted:
    """The rows of a span, each counted once."""
    found = Counted()
    total: dict[str, ColumnProfile] = {}
    for table in _tables(traffic, span, found.damaged):
        found.rows += table.num_rows
        for column in tallied(_features(table), shapes):
            known = total.get(column.name)
            total[column.name] = column if known is None else add_column(known, column)
    order = [shape.column.name for shape in shapes]
    found.columns = tuple(total[name] for name in order if name in total)
    found.unlogged = tuple(name for name in order if name not in total) if found.rows else ()
    return found


def _tables(traffic: Path, span: Span, damaged: list[str]) -> Iterator[Any]:
    """The rows of a span, a table a file: no row twice."""
    folder = files.version_folder(traffic, span.model, span.version)
    before: dict[str, Any] = {}
    for file in files.listed(folder):
        apart = files.hour_of(file) - span.hour
        if abs(apart) > HOUR:
            continue
        try:
            if apart and not _has_any(file, span):
                continue
            table = reading.table_in(file, (*_KEYS, "features"))
        except StoreError as error:
            damaged.append(told_of(error))
            continue
        if table is None:
            continue
        kept = reading.between(table, span.since, span.until)
        # What a killed writer wrote twice stands in neighbouring files of the same writer.
        keys, writer = kept.select(_KEYS), files.writer_of(file)
        earlier = before.get(writer, keys.slice(0, 0))
        before[writer] = keys
        repeated = reading.written_twice(pa.concat_tables([earlier, keys]))[earlier.num_rows :]
        fresh = kept.filter(pa.array(~repeated)) if repeated.any() else kept
        if fresh.num_rows:
            yield fresh


def _has_any(file: Path, span: Span) -> bool:
    """Whether a file of a neighbouring hour has rows of this one; its features are not read."""
    times = reading.table_in(file, ("time",))
    return times is not None and bool(reading.window(times, span.since, span.until).any())


def _features(table: Any) -> Any:
    """The columns that a model reads, as a table of their own."""
    if "features" not in table.column_names:  # all of them are redacted
        return pa.table({})
    struct = table.select(["features"])
    names = [each.name for each in struct.schema.field("features").type]
    return struct.flatten().rename_columns(names)

"""How are columns distributed as a model reads them: float32 numbers, texts with "" where missing?

Training rows are counted after they were made float32, and edges are values of such columns: so
what was logged while serving falls into the very bin that it would have fallen into in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow as pa

from seatrial.data.column import Column, quoted
from seatrial.data.profiles.counting import tally
from seatrial.data.profiles.outlining import outline
from seatrial.data.profiles.profile import Profile, noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.data.shape import ColumnProfile, Shape


NUMBER, TEXT = "FLOAT", "VARCHAR"


def profiled(
    features: Mapping[str, NDArray[Any]], dataset: str = "", fingerprint: str = ""
) -> Profile:
    """The profile of columns ``[n]`` as :func:`seatrial.data.roles.features` gives them.

    Float32, or object strings; the same columns give the same profile.
    """
    table = pa.table(
        {
            name: pa.array(values, pa.string()) if values.dtype == object else pa.array(values)
            for name, values in features.items()
        }
    )
    with _Seen(table) as seen:
        shapes = outline(seen, seen.columns, table.num_rows)
        counted = tuple(map(noted, tally(seen, shapes, None)))
    return Profile(dataset=dataset, fingerprint=fingerprint, rows=table.num_rows, columns=counted)


def tallied(table: pa.Table, shapes: Sequence[Shape], threads: int = 1) -> list[ColumnProfile]:
    """The columns of an Arrow table counted on ``shapes``, as far as it has them, in their order.

    Float32 or string columns.
    """
    known = [shape for shape in shapes if shape.column.name in table.column_names]
    if not known or not table.num_rows:
        return []
    with _Seen(table, threads) as seen:
        return [*tally(seen, known, None)]


class _Seen:
    """An Arrow table as the relation ``rows``: a text that is missing is null there."""

    def __init__(self, table: pa.Table, threads: int | None = None) -> None:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        if threads is not None:
            settings["threads"] = threads
        self.columns = tuple(
            Column(field.name, "string", TEXT)
            if field.type == pa.string()
            else Column(field.name, "number", NUMBER)
            for field in table.schema
        )
        names = [
            f"NULLIF({quoted(column.name)}, '') AS {quoted(column.name)}"
            if column.kind == "string"
            else quoted(column.name)
            for column in self.columns
        ]
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.register("seen", table)
        selected = f"SELECT {', '.join(names)} FROM seen"  # noqa: S608
        self._connection.execute(f"CREATE TEMP VIEW rows AS {selected}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._connection.close()

    def sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(query, [*parameters]).fetchall()

    def batches(self, query: str, *parameters: object, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a query in their order, about so many at once."""
        found = self._connection.sql(query, params=[*parameters])
        yield from found.to_arrow_reader(rows)

"""How often does each value of a column occur? One scan, whatever the number of columns and bins.

duckdb reads and hands over a few thousand rows at a time, texts as the number of their place in
the list; numpy counts those at or below each edge, which costs less than one comparison by the
database. So memory does not grow with the rows, and rows are added in their order: the same rows
give the same moments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from seatrial.data.column import quoted
from seatrial.data.profiles.moments import NONE, combined, moments, rounded
from seatrial.data.shape import BOOLEANS, ColumnProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from seatrial.data.column import Column
    from seatrial.data.profiles.relation import Relation
    from seatrial.data.shape import Shape, Within

COLUMNS = 2000
"""No more columns than this are asked for in one query. Fewer would cost a wide table dear: each
query reads what all its columns are, whatever it asks for.
"""

_Part = TypeVar("_Part")
_CELLS = 2**18
_LEAST_ROWS, _MOST_ROWS = 2**11, 2**15


def tally(
    relation: Relation, shapes: Sequence[Shape], within: Within | None
) -> tuple[ColumnProfile, ...]:
    """The columns of ``shapes`` counted on their edges and values, in their order."""
    known = {column.name: column for column in relation.columns}
    where, wanted = condition(within)
    found: list[ColumnProfile] = []
    for part in parts(shapes, COLUMNS):
        counters = [_counter(shape, known) for shape in part]
        given = [value for counter in counters for value in counter.given]
        expressions = [counter.expression for counter in counters]
        for columns in batches(relation, expressions, where, [*given, *wanted]):
            for counter, column in zip(counters, columns, strict=True):
                counter.take(column)
        found += [counter.profile() for counter in counters]
    return tuple(found)


def unlisted(
    relation: Relation, name: str, values: Sequence[str], most: int
) -> tuple[tuple[str, int], ...]:
    """The most frequent texts of a column that are not among ``values``, with their counts."""
    return tuple(
        relation.sql(
            f"SELECT value, count(*) AS n FROM (SELECT {as_text(name)} AS value FROM rows) "  # noqa: S608
            "WHERE value IS NOT NULL AND NOT list_contains(?::VARCHAR[], value) "
            "GROUP BY value ORDER BY n DESC, value LIMIT ?",
            list(values),
            most,
        )
    )


def batches(
    relation: Relation,
    expressions: Sequence[str],
    where: str = "",
    given: Sequence[object] = (),
) -> Iterator[list[pa.Array]]:
    """The expressions over all rows in their order, some rows at a time: an array each."""
    # Equal expressions would be one column; their places tell them apart.
    selected = ", ".join(f"{text} AS c{i}" for i, text in enumerate(expressions))
    query = f"SELECT {selected} FROM rows{where}"  # noqa: S608
    size = min(_MOST_ROWS, max(_LEAST_ROWS, _CELLS // len(expressions)))
    for batch in relation.batches(query, *given, rows=size):
        yield batch.columns


def condition(within: Within | None) -> tuple[str, list[object]]:
    """The rows of ``within`` as the WHERE of a query, and its parameters."""
    if within is None:
        return "", []
    return f" WHERE {as_text(within.column)} IS NOT DISTINCT FROM ?", [within.value]


def parts(whole: Sequence[_Part], most: int) -> Iterator[Sequence[_Part]]:
    """Slices of so many at most.

    >>> [*parts("abcde", 2)]
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(whole), most):
        yield whole[start : start + most]


def as_text(name: str) -> str:
    """A column's values as text, in SQL."""
    return f"CAST({quoted(name)} AS VARCHAR)"


def as_number(column: Column) -> str:
    """A column's values as a 64-bit float, times as seconds, in SQL.

    >>> from seatrial.data.column import Column
    >>> as_number(Column("at", "time", "TIME"))
    'epoch_us("at") / 1e6'
    """
    name = quoted(column.name)
    if column.kind != "time":
        # Of other kinds only a column without any value comes here: text for want of a type.
        return f"CAST({name} AS DOUBLE)"
    if column.type.replace("_", " ").split()[0] == "TIME":
        return f"epoch_us({name}) / 1e6"
    seconds = f"epoch({name})" if column.type == "DATE" else f"epoch_us({name}) / 1e6"
    infinite = f"CASE WHEN {name} > '1970-01-01' THEN 'inf' ELSE '-inf' END::DOUBLE"
    return f"CASE WHEN isinf({name}) THEN {infinite} ELSE {seconds} END"


def _counter(shape: Shape, known: Mapping[str, Column]) -> _Numbers | _Texts:
    column = known.get(shape.column.name, shape.column)
    return _Numbers(shape, column) if shape.column.kind in {"number", "time"} else _Texts(shape)


class _Numbers:
    """Counts numbers and times on their edges."""

    def __init__(self, shape: Shape, column: Column) -> None:
        self.expression = as_number(column)
        self.given: list[object] = []
        self._shape = shape
        self._edges = shape.edges
        self._at_most = np.zeros(len(shape.edges) + 1, np.int64)
        self._nulls = self._nans = self._infinities = 0
        self._moments = NONE

    def take(self, column: pa.Array) -> None:
        """Count some more rows; a null comes as NaN, which no comparison counts."""
        values = column.to_numpy(zero_copy_only=False)
        present = int(np.count_nonzero(values == values))  # noqa: PLR0124 - false of NaN alone
        at_most = [int(np.count_nonzero(values <= edge)) for edge in self._edges]
        self._at_most += [*at_most, present]
        self._nulls += column.null_count
        self._nans += len(values) - present - column.null_count
        found = moments(values)
        if found.n < present:
            self._infinities += int(np.count_nonzero(np.isinf(values)))
        self._moments = combined(self._moments, found)

    def profile(self) -> ColumnProfile:
        """What was counted so far."""
        found = rounded(self._moments)
        return ColumnProfile(
            name=self._shape.column.name,
            kind=self._shape.column.kind,
            type=self._shape.column.type,
            nulls=self._nulls,
            nans=self._nans,
            infinities=self._infinities,
            edges=self._edges,
            counts=tuple(np.diff(self._at_most, prepend=0).tolist()),
            n=found.n,
            minimum=found.minimum,
            maximum=found.maximum,
            mean=found.mean,
            deviation=found.deviation,
        )


class _Texts:
    """Counts texts and booleans by their place in the list, all others and the missing."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._values = shape.values
        self._counts = np.zeros(len(shape.values) + 2, np.int64)
        self.given: list[object] = []
        name = quoted(shape.column.name)
        place = "1"
        if shape.column.kind == "boolean" and {*shape.values} <= {*BOOLEANS}:
            where = {value: place for place, value in enumerate(shape.values, start=2)}
            place = f"CASE WHEN {name} THEN {where.get('true', 1)} ELSE {where.get('false', 1)} END"
        elif shape.values:
            place = f"coalesce(list_position(?::VARCHAR[], {as_text(shape.column.name)}) + 1, 1)"
            self.given.append([*shape.values])
        self.expression = f"CASE WHEN {name} IS NULL THEN 0 ELSE {place} END::UINTEGER"

    def take(self, column: pa.Array) -> None:
        """Count some more rows: 0 is a missing value, 1 one that is not listed."""
        self._counts += np.bincount(
            column.to_numpy(zero_copy_only=False), minlength=len(self._counts)
        )

    def profile(self) -> ColumnProfile:
        """What was counted so far."""
        nulls, other, *counts = self._counts.tolist()
        return ColumnProfile(
            name=self._shape.column.name,
            kind=self._shape.column.kind,
            type=self._shape.column.type,
            nulls=nulls,
            values=self._values,
            counts=tuple(counts),
            other=other,
        )

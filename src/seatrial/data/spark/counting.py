"""How often does each value of a column occur? One grouped job for all columns of a batch.

Each row becomes one small cell a column (which column, which bin, which listed text, which number),
and the cells are grouped: the query stays small however many bins there are, where one aggregate
a bin would not compile. What comes back is one row a column and bin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.data.profiles.moments import LARGE, NONE, Moments, combined, rounded
from seatrial.data.shape import ColumnProfile
from seatrial.data.spark import expressions as sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.shape import Shape, Within
    from seatrial.data.spark.relation import Relation
    from seatrial.data.spark.types import Field

BATCH = 100
"""So many columns are counted in one query."""

_TOGETHER = 4
"""So many columns are counted in one compiled method; measured."""

_NULL, _NAN, _LOW, _HIGH, _OTHER = -1, -2, -3, -4, -5
"""Bins that are none: no value, NaN, the two infinities, a text that is not listed."""

ON_EDGES = {"number", "time"}
"""The kinds that are counted on edges."""


def tally(
    relation: Relation, shapes: Sequence[Shape], within: Within | None
) -> tuple[ColumnProfile, ...]:
    """The columns of ``shapes`` counted on their edges and values, in their order."""
    where = relation.within(within)
    return tuple(
        profile
        for start in range(0, len(shapes), BATCH)
        for profile in _batch(relation, shapes[start : start + BATCH], where)
    )


def unlisted(
    relation: Relation, name: str, values: Sequence[str], most: int
) -> tuple[tuple[str, int], ...]:
    """The most frequent texts of a column that are not among ``values``, with their counts."""
    text = sql.text(relation.field(name))
    known = f" AND {text} NOT IN ({_listed(values)})" if values else ""
    found = relation.sql(
        f"SELECT value, count(*) AS n FROM (SELECT {text} AS value FROM {relation.name} "  # noqa: S608 - quoted
        f"WHERE {text} IS NOT NULL{known}) GROUP BY value ORDER BY n DESC, value LIMIT {most}"
    )
    return tuple((value, n) for value, n in found)


def finite(field: Field) -> str:
    """A number or time as a 64-bit float; NULL where it is missing, NaN or infinite."""
    value = as_float(field)
    if sql.is_nan(field) is None:
        return value
    return f"CASE WHEN abs({value}) < {sql.number(math.inf)} THEN {value} END"


def as_float(field: Field) -> str:
    """A column that is counted on edges, as 64-bit floats."""
    if field.column.kind in ON_EDGES:
        return sql.value(field)
    # A column without any value has no type of its own; text that is no number counts as missing.
    return f"try_cast({sql.text(field)} AS DOUBLE)"


@dataclass(slots=True)
class _Found:
    """What has come back of one column: rows by bin, rows by listed text, moments."""

    bins: dict[int, int] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    moments: Moments = NONE


def _batch(relation: Relation, shapes: Sequence[Shape], where: str) -> list[ColumnProfile]:
    cells = [
        _cell(number, shape, relation.field(shape.column.name))
        for number, shape in enumerate(shapes)
    ]
    inner = f"CASE WHEN abs(c.x) < {sql.number(LARGE)} THEN c.x END"
    counted = relation.sql(
        "SELECT c.id, c.bin, c.word, count(*), "  # noqa: S608 - all quoted
        f"min(c.x), max(c.x), count({inner}), avg({inner}), stddev_pop({inner}) "
        f"FROM {relation.cells(cells, _TOGETHER, where)} GROUP BY c.id, c.bin, c.word"
    )
    found = [_Found() for _ in shapes]
    # In one order, whatever order they come back in: so rounding is the same every time.
    for number, place, word, rows, low, high, n, mean, deviation in sorted(counted, key=_order):
        column = found[number]
        if word is not None:
            column.words[word] = rows
        else:
            column.bins[place] = rows
        column.moments = combined(column.moments, Moments(n, low, high, mean, deviation))
    return [_profile(shape, column) for shape, column in zip(shapes, found, strict=True)]


def _order(row: tuple[Any, ...]) -> tuple[int, int, str]:
    return row[0], row[1], row[2] or ""


def _cell(number: int, shape: Shape, field: Field) -> str:
    """One column of one row as a struct; all of them have the same fields."""
    word, number_of = "CAST(NULL AS STRING)", "CAST(NULL AS DOUBLE)"
    present = f"{sql.named(field.column.name)} IS NOT NULL"
    if shape.column.kind in ON_EDGES:
        place, number_of = _place(shape, field), finite(field)
    elif shape.column.kind in {"string", "boolean"} and shape.values:
        text = sql.text(field)
        word = f"CASE WHEN {text} IN ({_listed(shape.values)}) THEN {text} END"
        place = f"CASE WHEN {present} THEN {_OTHER} ELSE {_NULL} END"
    else:
        place = f"CASE WHEN {present} THEN {_OTHER} ELSE {_NULL} END"
    return f"named_struct('id', {number}, 'bin', {place}, 'word', {word}, 'x', {number_of})"


def _place(shape: Shape, field: Field) -> str:
    """The number of the bin that a value falls in."""
    value = as_float(field)
    special = f"WHEN {value} IS NULL THEN {_NULL} "
    if (nan := sql.is_nan(field)) is not None:
        special += (
            f"WHEN {nan} THEN {_NAN} "
            f"WHEN {value} = {sql.number(-math.inf)} THEN {_LOW} "
            f"WHEN {value} = {sql.number(math.inf)} THEN {_HIGH} "
        )
    return f"CASE {special}ELSE {_search(value, shape.edges, 0)} END"


def _search(value: str, edges: Sequence[float], first: int) -> str:
    """A bin by halving: as many comparisons as the number of edges has binary digits."""
    if not edges:
        return str(first)
    middle = len(edges) // 2
    below = _search(value, edges[:middle], first)
    above = _search(value, edges[middle + 1 :], first + middle + 1)
    return f"CASE WHEN {value} <= {sql.number(edges[middle])} THEN {below} ELSE {above} END"


def _listed(values: Sequence[str]) -> str:
    return ", ".join(map(sql.literal, values))


def _profile(shape: Shape, found: _Found) -> ColumnProfile:
    column, counts = shape.column, found.bins
    if column.kind not in ON_EDGES:
        return ColumnProfile(
            name=column.name,
            kind=column.kind,
            type=column.type,
            nulls=counts.get(_NULL, 0),
            values=shape.values,
            counts=tuple(found.words.get(value, 0) for value in shape.values),
            other=counts.get(_OTHER, 0),
        )
    bins = [counts.get(place, 0) for place in range(len(shape.edges) + 1)]
    bins[0] += counts.get(_LOW, 0)
    bins[-1] += counts.get(_HIGH, 0)
    moments = rounded(found.moments)
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        type=column.type,
        nulls=counts.get(_NULL, 0),
        nans=counts.get(_NAN, 0),
        infinities=counts.get(_LOW, 0) + counts.get(_HIGH, 0),
        edges=shape.edges,
        counts=tuple(bins),
        n=moments.n,
        minimum=moments.minimum,
        maximum=moments.maximum,
        mean=moments.mean,
        deviation=moments.deviation,
    )

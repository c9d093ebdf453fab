"""How often does each value of a column occur? Few scans, whatever the number of bins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.data.column import quoted
from seatrial.data.shape import BINS, TOP, ColumnProfile, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.data.column import Column
    from seatrial.data.shape import Within

    Sql = Callable[..., list[tuple[Any, ...]]]
    """The rows of a query over the relation ``rows``; parameters follow the query."""

SAMPLE = 200_000
"""The edges come from about this many rows, evenly spaced; the counts come from all."""


def outline(sql: Sql, columns: Sequence[Column], rows: int) -> tuple[Shape, ...]:
    """Edges and values of each column's own, from the relation ``rows`` of so many rows.

    The same rows give the same ones.
    """
    numeric = [column for column in columns if column.kind == "number"]
    edges = dict(zip(numeric, _edges(sql, numeric, rows), strict=True))
    return tuple(
        Shape(
            column,
            edges.get(column, ()),
            _top(sql, column) if column.kind in {"string", "boolean"} else (),
        )
        for column in columns
    )


def tally(sql: Sql, shapes: Sequence[Shape], within: Within | None) -> tuple[ColumnProfile, ...]:
    """The columns of ``shapes`` counted on their edges and values, in their order."""
    where, values = _condition(within)
    numeric = [shape for shape in shapes if shape.column.kind == "number"]
    found = {counted.name: counted for counted in _numbers(sql, numeric, where, values)}
    for shape in shapes:
        if shape.column.kind in {"string", "boolean"}:
            found[shape.column.name] = _texts(sql, shape, where, values)
        elif shape.column.kind != "number":
            found[shape.column.name] = _only_nulls(sql, shape.column, where, values)
    return tuple(found[shape.column.name] for shape in shapes)


def unlisted(sql: Sql, name: str, values: Sequence[str], most: int) -> tuple[tuple[str, int], ...]:
    """The most frequent texts of a column that are not among ``values``, with their counts."""
    text = _as_text(name)
    return tuple(
        sql(
            f"SELECT {text} AS value, count(*) AS n FROM rows WHERE {text} IS NOT NULL "  # noqa: S608
            "AND NOT list_contains(?, value) GROUP BY value ORDER BY n DESC, value LIMIT ?",
            list(values),
            most,
        )
    )


def _condition(within: Within | None) -> tuple[str, list[object]]:
    if within is None:
        return "", []
    return f" WHERE {_as_text(within.column)} IS NOT DISTINCT FROM ?", [within.value]


def _edges(sql: Sql, columns: Sequence[Column], rows: int) -> list[tuple[float, ...]]:
    """Inner edges of about equal count; a column of few values gets a bin for each of them.

    The edges come from evenly spaced rows, so the same file always gives the same ones.
    """
    if not columns:
        return []
    stride = max(1, rows // SAMPLE)
    steps = [i / BINS for i in range(1, BINS)]
    wanted = []
    for i in range(len(columns)):
        wanted += [
            f"quantile_disc(c{i}, {steps})",
            f"list_sort(list(DISTINCT c{i}) FILTER (c{i} IS NOT NULL))[:{BINS + 1}]",
        ]
    values = ", ".join(f"{_finite(c.name)} AS c{i}" for i, c in enumerate(columns))
    found = sql(
        f"WITH numbered AS (SELECT {values}, row_number() OVER () AS position FROM rows) "  # noqa: S608
        f"SELECT {', '.join(wanted)} FROM numbered WHERE position % {stride} = 0"
    )[0]
    return [_unique(found[2 * i] or [], found[2 * i + 1] or []) for i in range(len(columns))]


def _unique(quantiles: Sequence[Any], few: Sequence[Any]) -> tuple[float, ...]:
    """Ascending edges. ``few`` are the distinct values, one more than BINS when there are many.

    >>> len(_unique([], [1, 2, 3]))
    4
    """
    distinct = sorted({float(value) for value in few})
    if distinct and len(distinct) <= BINS:
        below = float(np.nextafter(distinct[0], -math.inf))
        return tuple(edge for edge in (below, *distinct) if math.isfinite(edge))
    return tuple(sorted({float(value) for value in quantiles}))


def _numbers(
    sql: Sql, shapes: Sequence[Shape], where: str, values: Sequence[object]
) -> list[ColumnProfile]:
    """All numbers in one scan: counts on the edges given, missing values, moments."""
    if not shapes:
        return []
    wanted = []
    for shape in shapes:
        value = f"CAST({quoted(shape.column.name)} AS DOUBLE)"
        bins = f"[{', '.join(map(repr, shape.edges))}]::DOUBLE[]"
        finite = _finite(shape.column.name)
        wanted += [
            f"count(*) - count({value})",
            f"count(*) FILTER (isnan({value}))",
            f"count(*) FILTER (isinf({value}))",
            f"histogram({value}, {bins}) FILTER (NOT isnan({value}))",
            *(f"{name}({finite})" for name in ("min", "max", "avg", "stddev_pop")),
        ]
    found = sql(f"SELECT {', '.join(wanted)} FROM rows{where}", *values)[0]  # noqa: S608
    profiles = []
    for i, shape in enumerate(shapes):
        nulls, nans, infinities, counted, low, high, mean, deviation = found[8 * i : 8 * i + 8]
        profiles.append(
            ColumnProfile(
                name=shape.column.name,
                kind="number",
                type=shape.column.type,
                nulls=nulls,
                nans=nans,
                infinities=infinities,
                edges=shape.edges,
                counts=tuple((counted or {}).get(edge, 0) for edge in (*shape.edges, math.inf)),
                minimum=low,
                maximum=high,
                mean=mean,
                deviation=deviation,
            )
        )
    return profiles


def _finite(name: str) -> str:
    value = f"CAST({quoted(name)} AS DOUBLE)"
    # Beyond 1e150 the square in the deviation overflows; such a value is as good as infinite.
    return f"CASE WHEN abs({value}) < 1e150 THEN {value} END"


def _as_text(name: str) -> str:
    return f"CAST({quoted(name)} AS VARCHAR)"


def _top(sql: Sql, column: Column) -> tuple[str, ...]:
    text = _as_text(column.name)
    found = sql(
        f"SELECT {text} AS value, count(*) AS n FROM rows WHERE {text} IS NOT NULL "  # noqa: S608
        f"GROUP BY value ORDER BY n DESC, value LIMIT {TOP}"
    )
    return tuple(value for value, _ in found)


def _texts(sql: Sql, shape: Shape, where: str, values: Sequence[object]) -> ColumnProfile:
    """Counts of the values given, of all others together, and of the missing."""
    text = _as_text(shape.column.name)
    found = sql(
        f"SELECT CASE WHEN list_contains(?, {text}) THEN {text} END AS value, count(*), "  # noqa: S608
        f"count({text}) FROM rows{where} GROUP BY value",
        list(shape.values),
        *values,
    )
    listed = {value: count for value, count, _ in found if value is not None}
    rest, present = next(((n, p) for value, n, p in found if value is None), (0, 0))
    return ColumnProfile(
        name=shape.column.name,
        kind=shape.column.kind,
        type=shape.column.type,
        nulls=rest - present,
        values=shape.values,
        counts=tuple(listed.get(value, 0) for value in shape.values),
        other=present,
    )


def _only_nulls(sql: Sql, column: Column, where: str, values: Sequence[object]) -> ColumnProfile:
    name = quoted(column.name)
    nulls = sql(f"SELECT count(*) - count({name}) FROM rows{where}", *values)[0][0]  # noqa: S608
    return ColumnProfile(name=column.name, kind=column.kind, type=column.type, nulls=nulls)

"""How often does each value of a column occur? Few scans, whatever the number of bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.data.table import Kind, quoted  # msgspec needs Kind when it runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.table import Column, Table

BINS = 20
"""Numbers fall in this many bins of about equal count."""

TOP = 50
"""The most frequent texts that are counted by name; the rest is counted together."""

SAMPLE = 200_000
"""The edges come from about this many rows, evenly spaced; the counts come from all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column's distribution.

    Numbers: ``counts[i]`` are the values above ``edges[i - 1]`` up to and with ``edges[i]``; the
    first has no lower end, the last no upper one, so there is one count more than edges.
    Text and booleans: ``counts[i]`` are the rows with ``values[i]``, ``other`` all the rest.
    ``minimum`` to ``deviation`` are of the finite numbers, None without any.
    """

    name: str
    kind: Kind
    nulls: int = 0
    nans: int = 0
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    other: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None

    @property
    def missing(self) -> int:
        """The rows without a value."""
        return self.nulls + self.nans


def count(table: Table) -> tuple[ColumnProfile, ...]:
    """Every column of a table on edges and values of its own. The same file counts the same."""
    numeric = [column for column in table.columns if column.kind == "number"]
    edges = _edges(table, numeric)
    found = {counted.name: counted for counted in _numbers(table, numeric, edges)}
    for column in table.columns:
        if column.kind in {"string", "boolean"}:
            found[column.name] = _texts(table, column, _top(table, column))
        elif column.kind != "number":
            found[column.name] = _only_nulls(table, column)
    return tuple(found[column.name] for column in table.columns)


def count_like(reference: Sequence[ColumnProfile], table: Table) -> tuple[ColumnProfile, ...]:
    """The columns of ``table`` counted on the edges and values of ``reference``, in its order."""
    numeric = [column for column in reference if column.kind == "number"]
    pairs = [(table[column.name], column.edges) for column in numeric]
    counted = _numbers(table, [column for column, _ in pairs], [edges for _, edges in pairs])
    found = {profile.name: profile for profile in counted}
    for column in reference:
        if column.kind in {"string", "boolean"}:
            found[column.name] = _texts(table, table[column.name], column.values)
        elif column.kind != "number":
            found[column.name] = _only_nulls(table, table[column.name])
    return tuple(found[column.name] for column in reference)


def unseen(reference: ColumnProfile, table: Table, most: int = 3) -> list[tuple[str, int]]:
    """The most frequent texts of a column that ``reference`` does not list, with their counts."""
    text = _as_text(reference.name)
    return table.sql(
        f"SELECT {text} AS value, count(*) AS n FROM rows WHERE {text} IS NOT NULL "  # noqa: S608
        "AND NOT list_contains(?, value) GROUP BY value ORDER BY n DESC, value LIMIT ?",
        list(reference.values),
        most,
    )


def _edges(table: Table, columns: Sequence[Column]) -> list[tuple[float, ...]]:
    """Inner edges of about equal count; a column of few values gets a bin for each of them.

    The edges come from evenly spaced rows, so the same file always gives the same ones.
    """
    if not columns:
        return []
    stride = max(1, table.rows // SAMPLE)
    steps = [i / BINS for i in range(1, BINS)]
    wanted = []
    for i in range(len(columns)):
        wanted += [
            f"quantile_disc(c{i}, {steps})",
            f"list_sort(list(DISTINCT c{i}) FILTER (c{i} IS NOT NULL))[:{BINS + 1}]",
        ]
    values = ", ".join(f"{_finite(c.name)} AS c{i}" for i, c in enumerate(columns))
    found = table.sql(
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
    table: Table, columns: Sequence[Column], edges: Sequence[Sequence[float]]
) -> list[ColumnProfile]:
    """All numbers in one scan: counts on the edges given, missing values, moments."""
    if not columns:
        return []
    wanted = []
    for column, inner in zip(columns, edges, strict=True):
        value = f"CAST({quoted(column.name)} AS DOUBLE)"
        bins = f"[{', '.join(map(repr, inner))}]::DOUBLE[]"
        finite = _finite(column.name)
        wanted += [
            f"count(*) - count({value})",
            f"count(*) FILTER (isnan({value}))",
            f"histogram({value}, {bins}) FILTER (NOT isnan({value}))",
            *(f"{name}({finite})" for name in ("min", "max", "avg", "stddev_pop")),
        ]
    found = table.sql(f"SELECT {', '.join(wanted)} FROM rows")[0]  # noqa: S608
    profiles = []
    for i, (column, inner) in enumerate(zip(columns, edges, strict=True)):
        nulls, nans, counted, low, high, mean, deviation = found[7 * i : 7 * i + 7]
        profiles.append(
            ColumnProfile(
                name=column.name,
                kind="number",
                nulls=nulls,
                nans=nans,
                edges=tuple(inner),
                counts=tuple((counted or {}).get(edge, 0) for edge in (*inner, math.inf)),
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


def _top(table: Table, column: Column) -> tuple[str, ...]:
    text = _as_text(column.name)
    found = table.sql(
        f"SELECT {text} AS value, count(*) AS n FROM rows WHERE {text} IS NOT NULL "  # noqa: S608
        f"GROUP BY value ORDER BY n DESC, value LIMIT {TOP}"
    )
    return tuple(value for value, _ in found)


def _texts(table: Table, column: Column, values: Sequence[str]) -> ColumnProfile:
    """Counts of the values given, of all others together, and of the missing."""
    text = _as_text(column.name)
    found = table.sql(
        f"SELECT CASE WHEN list_contains(?, {text}) THEN {text} END AS value, count(*), "  # noqa: S608
        f"count({text}) FROM rows GROUP BY value",
        list(values),
    )
    listed = {value: count for value, count, _ in found if value is not None}
    unlisted, present = next(((n, p) for value, n, p in found if value is None), (0, 0))
    return ColumnProfile(
        name=column.name,
        kind=column.kind,
        nulls=unlisted - present,
        values=tuple(values),
        counts=tuple(listed.get(value, 0) for value in values),
        other=present,
    )


def _only_nulls(table: Table, column: Column) -> ColumnProfile:
    name = quoted(column.name)
    nulls = table.sql(f"SELECT count(*) - count({name}) FROM rows")[0][0]  # noqa: S608
    return ColumnProfile(name=column.name, kind=column.kind, nulls=nulls)

"""On which edges and values is each column counted? One grouped job for numbers, one for texts.

The numbers come from rows whose hash divides evenly, when there are many: the same rows give the
same edges, however Spark has spread them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.data.shape import BINS, BOOLEANS, TOP, Shape
from seatrial.data.spark import expressions as sql
from seatrial.data.spark.counting import BATCH, ON_EDGES, finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.column import Column
    from seatrial.data.spark.relation import Relation

SAMPLE = 200_000
"""The edges come from about this many rows; the counts come from all."""


_TOGETHER = 16


def outline(relation: Relation, columns: Sequence[Column], rows: int) -> tuple[Shape, ...]:
    """Edges and values of each column's own; the same rows give the same ones."""
    numeric = [column for column in columns if column.kind in ON_EDGES]
    texts = [column for column in columns if column.kind == "string"]
    edges: dict[str, tuple[float, ...]] = {}
    for start in range(0, len(numeric), BATCH):
        edges |= _edges(relation, numeric[start : start + BATCH], rows)
    values: dict[str, tuple[str, ...]] = {
        column.name: BOOLEANS for column in columns if column.kind == "boolean"
    }
    for start in range(0, len(texts), BATCH):
        values |= _top(relation, texts[start : start + BATCH])
    return tuple(Shape(c, edges.get(c.name, ()), values.get(c.name, ())) for c in columns)


def _edges(
    relation: Relation, columns: Sequence[Column], rows: int
) -> dict[str, tuple[float, ...]]:
    stride = math.ceil(rows / SAMPLE)
    hashed = sql.row_hash(relation.fields.values())
    where = f" WHERE pmod({hashed}, {stride}) = 0" if stride > 1 else ""
    found, sampled = _quantiles(relation, columns, where)
    if sampled * stride < rows // 2:
        # Rows that repeat have one hash: they are in the sample together, or missing together.
        found, _ = _quantiles(relation, columns, "")
    return {column.name: edges for column, edges in zip(columns, found, strict=True)}


def _quantiles(
    relation: Relation, columns: Sequence[Column], where: str
) -> tuple[list[tuple[float, ...]], int]:
    """Edges of about equal count, and how many rows they come from.

    A value is the i-th quantile when i / BINS of the rows are reached with it; whole numbers tell.
    """
    every = len(columns)  # one more cell in each row counts the rows
    cells = [
        f"named_struct('id', {number}, 'x', {finite(relation.field(column.name))})"
        for number, column in enumerate(columns)
    ]
    cells.append(f"named_struct('id', {every}, 'x', 0D)")
    reached = f"least({BINS - 1}, ({{}} * {BINS}) DIV total)"
    found = relation.sql(
        f"WITH cells AS {relation.cells(cells, _TOGETHER, where)}, "  # noqa: S608 - all quoted
        "counted AS (SELECT c.id AS id, c.x AS x, count(*) AS n FROM cells "
        "WHERE c.x IS NOT NULL GROUP BY c.id, c.x), "
        "placed AS (SELECT id, x, n, row_number() OVER (PARTITION BY id ORDER BY x) AS place, "
        "sum(n) OVER (PARTITION BY id ORDER BY x) AS upto, "
        "sum(n) OVER (PARTITION BY id) AS total FROM counted), "
        "chosen AS (SELECT id, x, place, total, "
        f"{reached.format('upto')} > {reached.format('(upto - n)')} AS is_quantile FROM placed) "
        f"SELECT id, x, place, total, is_quantile FROM chosen "
        f"WHERE is_quantile OR place <= {BINS + 1}"
    )
    quantiles: list[set[float]] = [set() for _ in columns]
    few: list[set[float]] = [set() for _ in columns]
    sampled = 0
    for number, x, place, total, is_quantile in found:
        if number == every:
            sampled = total
            continue
        if is_quantile:
            quantiles[number].add(x + 0.0)
        if place <= BINS + 1:
            few[number].add(x + 0.0)
    chosen = [_chosen(some, all_) for some, all_ in zip(few, quantiles, strict=True)]
    return chosen, sampled


def _chosen(few: set[float], quantiles: set[float]) -> tuple[float, ...]:
    """Ascending edges: a column of few values gets a bin for each of them.

    >>> _chosen({1.0, 2.0}, {1.0})[1:]
    (1.0, 2.0)
    """
    if not few or len(few) > BINS:
        return tuple(sorted(quantiles))
    distinct = sorted(few)
    below = math.nextafter(distinct[0], -math.inf)
    return (below, *distinct) if math.isfinite(below) else tuple(distinct)


def _top(relation: Relation, columns: Sequence[Column]) -> dict[str, tuple[str, ...]]:
    """The most frequent texts of each column; equally frequent ones by their bytes."""
    cells = [
        f"named_struct('id', {number}, 'word', {sql.text(relation.field(column.name))})"
        for number, column in enumerate(columns)
    ]
    found = relation.sql(
        f"WITH cells AS {relation.cells(cells, _TOGETHER)}, "  # noqa: S608 - all quoted
        "counted AS (SELECT c.id AS id, c.word AS word, count(*) AS n FROM cells "
        "WHERE c.word IS NOT NULL GROUP BY c.id, c.word), "
        "placed AS (SELECT id, word, "
        "row_number() OVER (PARTITION BY id ORDER BY n DESC, word) AS place FROM counted) "
        f"SELECT id, place, word FROM placed WHERE place <= {TOP}"
    )
    texts: dict[str, tuple[str, ...]] = {column.name: () for column in columns}
    for number, _, word in sorted(found):
        texts[columns[number].name] += (word,)
    return texts

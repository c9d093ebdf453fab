"""On which edges and values shall the columns of a dataset be counted?

Edges come from evenly spaced rows, listed texts from all rows; the same rows give the same ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.profiles.counting import COLUMNS, as_number, as_text, batches, parts
from seatrial.data.shape import BINS, BOOLEANS, TOP, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from seatrial.data.column import Column
    from seatrial.data.profiles.relation import Relation

SAMPLE = 200_000
"""The edges come from no more than this many rows, evenly spaced; the counts come from all."""

_CELLS = 2**23
"""So many numbers are held at once, whatever the number of columns."""


def outline(relation: Relation, columns: Sequence[Column], rows: int) -> tuple[Shape, ...]:
    """Edges and values of each column's own, from a relation of so many rows."""
    edges = _edges(relation, [c for c in columns if c.kind in {"number", "time"}], rows)
    texts = _tops(relation, [c for c in columns if c.kind == "string"])
    values = {**dict.fromkeys((c.name for c in columns if c.kind == "boolean"), BOOLEANS), **texts}
    return tuple(Shape(c, edges.get(c.name, ()), values.get(c.name, ())) for c in columns)


def _edges(
    relation: Relation, columns: Sequence[Column], rows: int
) -> dict[str, tuple[float, ...]]:
    stride = math.ceil(rows / SAMPLE)
    most = min(COLUMNS, _CELLS * stride // rows)
    found: dict[str, tuple[float, ...]] = {}
    for part in parts(columns, most):
        samples = _sampled(batches(relation, [as_number(column) for column in part]), stride)
        found.update((c.name, edges_of(sample)) for c, sample in zip(part, samples, strict=True))
    return found


def _sampled(found: Iterable[list[pa.Array]], stride: int) -> list[NDArray[np.float64]]:
    """Each column of every so-manyth row."""
    samples: list[list[NDArray[np.float64]]] = []
    position = 0
    for columns in found:
        start = -position % stride
        position += len(columns[0])
        # A slice alone would keep the whole batch alive.
        samples.append([c.to_numpy(zero_copy_only=False)[start::stride].copy() for c in columns])
    return [np.concatenate(column) for column in zip(*samples, strict=True)]


def edges_of(sample: NDArray[np.float64]) -> tuple[float, ...]:
    """Inner edges of about equal count; a column of few values gets a bin for each of them.

    >>> edges_of(np.array([2.0, 1.0, 2.0, np.nan]))
    (0.9999999999999999, 1.0, 2.0)
    """
    values = np.sort(sample[np.isfinite(sample)]) + 0.0
    if not values.size:
        return ()
    first = np.append(True, values[1:] != values[:-1])
    if np.count_nonzero(first) <= BINS:
        distinct = values[first].tolist()
        below = math.nextafter(distinct[0], -math.inf)
        return (below, *distinct) if math.isfinite(below) else tuple(distinct)
    places = np.ceil(np.arange(1, BINS) * values.size / BINS).astype(np.int64) - 1
    return tuple(np.unique(values[places]).tolist())


def _tops(relation: Relation, columns: Sequence[Column]) -> dict[str, tuple[str, ...]]:
    """The most frequent texts of each column, from all rows: one scan for many columns."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys((c.name for c in columns), ())
    for part in parts(columns, COLUMNS):
        cells = ", ".join(
            f"{{'place': {i}, 'value': {as_text(c.name)}}}" for i, c in enumerate(part)
        )
        # Of structs the least has the most rows and then the least text: the order of the list.
        answers = relation.sql(
            f"WITH counted AS (SELECT cell.place AS place, cell.value AS value, count(*) AS n "  # noqa: S608
            f"FROM (SELECT unnest([{cells}]) AS cell FROM rows) "
            "WHERE cell.value IS NOT NULL GROUP BY 1, 2) "
            f"SELECT place, min({{'fewer': -n, 'value': value}}, {TOP}) "
            "FROM counted GROUP BY place"
        )
        found.update(
            (part[place].name, tuple(top["value"] for top in tops)) for place, tops in answers
        )
    return found

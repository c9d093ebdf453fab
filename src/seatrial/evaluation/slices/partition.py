"""Into which parts does a column divide the rows, when nobody says? Every row is in one part."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.slices.columns import Column

FEWEST = 50
"""A value that fewer rows have is put together with the other rare ones."""

MOST = 30
"""So many values of a column are parts of their own, the most frequent ones."""

COUNTABLE = 24
"""Whole numbers with at most so many distinct values (months, hours) are taken value by value."""

QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True)
class Partition:
    """``place`` [n] is the number of each row's part, ``said`` what the parts are called.

    Parts are in the order of their values; what is pooled and what is missing comes last. A part
    always has rows.
    """

    column: str
    said: tuple[str, ...]
    place: NDArray[np.intp]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """[parts] how many rows each has."""
        return np.bincount(self.place, minlength=len(self.said))


def divided(column: Column, fewest: int = FEWEST) -> Partition:
    """Words, booleans and few whole numbers by value, other numbers and times by quarters.

    Values with fewer than ``fewest`` rows, and those beyond the 30 most frequent, are one part;
    missing values are one.

    >>> from seatrial.evaluation.slices.columns import Column
    >>> places = np.array([0.0, 0, 1, 1, 2, np.nan])
    >>> carrier = Column("carrier", "string", places, ("AA", "B6", "UA"))
    >>> parts = divided(carrier, fewest=2)
    >>> list(zip(parts.said, parts.sizes.tolist()))
    [('carrier = AA', 2), ('carrier = B6', 2), ('carrier = UA', 1), ('carrier is missing', 1)]
    >>> [*divided(Column("temp", "number", np.arange(0, 50, 0.5))).said]
    ['temp < 12', '12 <= temp < 24.5', '24.5 <= temp < 37', 'temp >= 37']
    """
    there = ~np.isnan(column.places)
    values = column.places[there]
    known, inside = np.unique(values, return_inverse=True)
    whole = bool((known == np.trunc(known)).all())
    few = whole and len(known) <= COUNTABLE
    by_value = not column.is_ordered or few or len(known) == 1
    said, parts = (
        _by_value(column, known, inside, fewest) if by_value else _by_quarter(column, values)
    )
    place = np.full(len(there), len(said), dtype=np.intp)
    place[there] = parts
    missing = () if there.all() else (f"{column.name} is missing",)
    return Partition(column.name, (*said, *missing), place)


def _by_value(
    column: Column, known: NDArray[np.float64], inside: NDArray[np.intp], fewest: int
) -> tuple[list[str], NDArray[np.intp]]:
    counts = np.bincount(inside, minlength=len(known))
    frequent = np.argsort(-counts, kind="stable")[:MOST]  # of equal ones the first by value
    own = np.zeros(len(known), dtype=np.bool_)
    own[frequent] = counts[frequent] >= fewest
    rare = int((~own).sum())
    said = [f"{column.name} = {column.said(value)}" for value in known[own]]
    if rare == 1:  # alone it keeps its name
        said.append(f"{column.name} = {column.said(known[~own][0])}")
    elif rare:
        said.append(f"{column.name} = any other ({rare} of {len(known)} values)")
    number = np.where(own, np.cumsum(own) - 1, int(own.sum()))
    return said, number[inside]


def _by_quarter(column: Column, values: NDArray[np.float64]) -> tuple[list[str], NDArray[np.intp]]:
    found = np.quantile(values, QUARTERS, method="inverted_cdf")
    edges = np.unique(found[found > values.min()])
    if not len(edges):  # three quarters of the rows hold the least value
        edges = np.array([values[values > values.min()].min()])
    ends = [None, *map(column.said, edges), None]
    said = [column.ranged(low, high) for low, high in itertools.pairwise(ends)]
    return said, np.searchsorted(edges, values, side="right")

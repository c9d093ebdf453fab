"""What must be remembered of a stream of labels so that it may be judged at any time?

Counts, and nothing else: how many labels of each bucket of time had each value of d. They have a
fixed size, they add up exactly in any order, also over several gateways, and they hold the e-value
against every level (:mod:`seatrial.evidence.bets`), so no level must be chosen beforehand.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.evidence.watching import Rule

COUNTED_POINTS = 3
"""Better, alike, worse."""

POINTS = 41
"""Values of a general trail; a d between two of them is shared out among them."""

PARTS = 2**24
"""Parts of a label in a general trail: d is kept to the 600 millionth part of its bound."""

FEW = 12
"""Up to so many labels are faster one by one than by numpy."""


@dataclass(slots=True)
class Trail:
    """The labels of one metric of one watch: 48 buckets take 1.2 KB if counted, else 15.7 KB.

    ``d`` is how much worse the new version was than the old on the same request, within
    [-bound, bound]. When every d is -bound, 0 or bound (0/1 loss, requests of one row) the trail
    is ``counted``: it keeps whole labels, and refuses any other d.

    A general trail has 41 points and shares a d out among its two neighbours, so that the mean
    stays as it is. The log of a bet's factor is concave in d, so what the two neighbours give is
    never more than what d itself would give: the evidence is slightly understated, never
    overstated. The weights are whole numbers of 1 / 2**24, so that sums are exact here too.

    >>> from seatrial.evidence.watching import Rule
    >>> here, there = Trail.empty(Rule()), Trail.empty(Rule())
    >>> here.add(np.array([0.0, 1.0, 0.0, -1.0]), 0)
    >>> there.add(1.0, 5)
    >>> both = here + there
    >>> both.n, both.mean(), both.mean(5)
    (5, 0.2, 1.0)
    """

    bound: float
    counted: bool
    cells: array[int]
    """[buckets x points], row by row: labels, or parts of them."""

    @classmethod
    def empty(cls, rule: Rule) -> Trail:
        """No label yet, in the form that the rule asks for."""
        points = COUNTED_POINTS if rule.counted else POINTS
        return cls(rule.bound, rule.counted, array("q", bytes(8 * rule.buckets * points)))

    def add(self, d: float | NDArray[np.float64], bucket: int | NDArray[np.int64] = 0) -> None:
        """Count labels: one, or [n]; ``bucket`` is that of each request, or of all.

        Raises ValueError, and counts none of them, when a d is no number within the bound, is
        not -bound, 0 or bound in a counted trail, or when a bucket does not exist.
        """
        if isinstance(d, np.ndarray) and d.size > FEW:
            self._add_many(d, np.asarray(bucket, dtype=np.int64))
            return
        numbers = d.tolist() if isinstance(d, np.ndarray) else (d,)
        if isinstance(bucket, np.ndarray):
            pairs = zip(numbers, bucket.tolist(), strict=True)
            found = [self._place(number, place) for number, place in pairs]
        else:
            found = [self._place(number, bucket) for number in numbers]
        cells = self.cells
        for cell, upper in found:
            cells[cell] += self.parts - upper
            if upper:
                cells[cell + 1] += upper

    def __add__(self, other: Trail) -> Trail:
        """Both together; ValueError when they are not of one form."""
        if (self.bound, self.counted) != (other.bound, other.counted) or len(self.cells) != len(
            other.cells
        ):
            raise ValueError("trails of different forms cannot be added up")
        both = array("q", self.cells)
        np.frombuffer(both, dtype=np.int64)[:] += np.frombuffer(other.cells, dtype=np.int64)
        return Trail(self.bound, self.counted, both)

    @property
    def n(self) -> int:
        """Labels."""
        return sum(self.cells) // self.parts

    def mean(self, start_bucket: int = 0) -> float:
        """The mean of d since the beginning of a bucket; 0 when there is no label since."""
        counts = self.counts()[start_bucket:].sum(axis=0)
        n = float(counts.sum())
        return float(counts @ self.values()) / n if n else 0.0

    def counts(self) -> NDArray[np.float64]:
        """[buckets, points]: labels of each value; those of a general trail are shared out."""
        return np.array(self.cells, dtype=np.float64).reshape(-1, self.points) / self.parts

    def values(self) -> NDArray[np.float64]:
        """[points]: the values of d that :meth:`counts` counts."""
        return values(self.bound, counted=self.counted)

    @property
    def points(self) -> int:
        """How many values of d are told apart."""
        return COUNTED_POINTS if self.counted else POINTS

    @property
    def parts(self) -> int:
        """What one label adds to the cells."""
        return 1 if self.counted else PARTS

    @property
    def buckets(self) -> int:
        """Spans of time that are told apart."""
        return len(self.cells) // self.points

    def to_json(self) -> dict[str, Any]:
        """A plain dict, which :meth:`from_json` reads back; buckets without labels are left out.

        >>> from seatrial.evidence.watching import Rule
        >>> trail = Trail.empty(Rule(buckets=3))
        >>> trail.add(np.array([0.0, 1.0, 0.0]), 2)
        >>> trail.to_json()
        {'bound': 1.0, 'counted': True, 'buckets': 3, 'cells': {'2': [0, 2, 1]}}
        """
        rows = {
            str(bucket): self.cells[bucket * self.points : (bucket + 1) * self.points].tolist()
            for bucket in range(self.buckets)
        }
        return {
            "bound": self.bound,
            "counted": self.counted,
            "buckets": self.buckets,
            "cells": {bucket: row for bucket, row in rows.items() if any(row)},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Trail:
        """Read back what :meth:`to_json` wrote; ValueError when something else did."""
        counted = bool(document["counted"])
        points = COUNTED_POINTS if counted else POINTS
        cells = array("q", bytes(8 * int(document["buckets"]) * points))
        trail = cls(float(document["bound"]), counted, cells)
        for name, row in document["cells"].items():
            bucket = int(name)
            whole = 0 <= bucket < trail.buckets and len(row) == points
            if not whole or min(row) < 0 or sum(row) % trail.parts:
                raise ValueError(f"bucket {name} of a trail is damaged")
            cells[bucket * points : (bucket + 1) * points] = array("q", row)
        return trail

    def _place(self, d: float, bucket: int) -> tuple[int, int]:
        """The cell of the value at or below d, and the parts that the next one gets."""
        points = COUNTED_POINTS if self.counted else POINTS
        last = points - 1
        position = (d / self.bound + 1) * last / 2
        if not -ROUNDING <= position <= last + ROUNDING:
            raise ValueError(_outside(d, self.bound))
        if not 0 <= bucket < len(self.cells) // points:
            raise ValueError(_no_bucket(bucket, self.buckets))
        below = min(max(int(position), 0), last - 1)
        upper = round(min(max(position - below, 0.0), 1.0) * PARTS)
        if self.counted:
            if 0 < upper < PARTS:
                raise ValueError(_between(d, self.bound))
            upper = 1 if upper else 0
        return bucket * points + below, upper

    def _add_many(self, d: NDArray[np.float64], bucket: NDArray[np.int64]) -> None:
        last = self.points - 1
        position = (d / self.bound + 1) * last / 2
        outside = ~((position >= -ROUNDING) & (position <= last + ROUNDING))
        if outside.any():
            raise ValueError(_outside(float(d[outside][0]), self.bound))
        strange = (bucket < 0) | (bucket >= self.buckets)
        if strange.any():
            raise ValueError(_no_bucket(int(bucket[strange].flat[0]), self.buckets))
        below = np.clip(position.astype(np.int64), 0, last - 1)
        upper = np.rint(np.clip(position - below, 0.0, 1.0) * PARTS).astype(np.int64)
        if self.counted:
            between = (upper > 0) & (upper < PARTS)
            if between.any():
                raise ValueError(_between(float(d[between][0]), self.bound))
            upper //= PARTS
        cells = np.frombuffer(self.cells, dtype=np.int64)
        place = bucket * self.points + below
        np.add.at(cells, place, self.parts - upper)
        np.add.at(cells, place + 1, upper)


ROUNDING = 1e-9
"""How far beyond its bound the mean of several d may be rounded."""


def values(bound: float, *, counted: bool) -> NDArray[np.float64]:
    """[points]: the values of d that a trail tells apart.

    >>> values(2.0, counted=True).tolist()
    [-2.0, 0.0, 2.0]
    """
    return np.linspace(-bound, bound, COUNTED_POINTS if counted else POINTS)


def _outside(d: float, bound: float) -> str:
    return f"a difference of {d!r} is not within {bound:g} of 0"


def _between(d: float, bound: float) -> str:
    return f"a difference of {d!r} is not {-bound:g}, 0 or {bound:g}: this trail only counts those"


def _no_bucket(bucket: int, buckets: int) -> str:
    return f"bucket {bucket} does not exist: there are {buckets}, counted from 0"

"""How are the measures estimated that are smooth functions of the shares?

The bounds invert a test: the lower one is the least divergence under which a value as large as
the one found is not too improbable, the upper one the largest under which one as small is not. How
the moments grow with the divergence is read off three points: no divergence, the one found, and
one about where the upper bound will be, on the exponential path through both (nonparametric
tilting: DiCiccio and Romano, 1990, Int. Stat. Rev. 58, 59). Near zero they are those of a
noncentral chi-square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.drift.interval import BEYOND, NOTHING, SMOOTHING, Estimate, shares
from seatrial.data.drift.measures.moments import moments
from seatrial.data.drift.measures.tails import tails
from seatrial.data.drift.merging import (
    EXPECTED,
    FEWEST,
    NOISE,
    evidence,
    fresh,
    fullness,
    merged,
    once,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from seatrial.data.drift.divergence import Counted
    from seatrial.data.drift.measures.formulas import Terms
    from seatrial.data.drift.measures.moments import Formula

    Counts = NDArray[np.float64]

_BEYOND = 1.7
"""The third point is so many deviations beyond the second: about where the upper bound will be."""

_HALVINGS = 16
"""A bound is found to so many binary digits."""


@dataclass(frozen=True, slots=True)
class Smooth:
    """An estimator of ``formula``, which is ``scale`` times KL where little moved.

    ``root``: the measure, and its threshold, is the square root of the formula.
    ``expected`` rows make a bin, a part of that a rare one; a ``wary`` formula is told which share
    is rare. No divergence is beyond ``largest``.
    """

    formula: Callable[..., Terms]
    scale: float
    root: bool = False
    expected: float = EXPECTED
    wary: bool = False
    largest: float = math.inf

    def __call__(
        self, counted: Counted, threshold: float, alpha: float, beyond: float = BEYOND
    ) -> Estimate:
        """The value and its bounds."""
        rows = evidence(*rows_of(counted))
        most = self.most_bins(threshold, rows)
        ours, theirs = merged(counted, most, self.expected)
        if len(ours) < 2 or counted.same:  # noqa: PLR2004 - a single bin
            return NOTHING
        formula, errors = self.told(rows, most), (alpha, beyond)
        value, low, high = _bounds(formula, self.scale, ours, theirs, errors)
        if fresh(counted).any():
            # The reference's source has rather more of it than on average, or nothing at all. A
            # check counts what is new among the old (unseen.py): it is for who asks for all bins.
            more, none = (
                merged(counted, most, self.expected, unseen)[1]
                for unseen in (once(counted) + 1, 0.0)
            )
            low = min(low, _bounds(formula, self.scale, ours, more, errors)[1])
            high = max(high, _bounds(formula, self.scale, ours, none, errors)[2])
        found = (min(bound, self.largest) for bound in (value, low, high))
        return Estimate(*map(math.sqrt, found)) if self.root else Estimate(*found)

    def told(self, rows: float, most: int) -> Formula:
        """The formula, told what is rare if it wants to know."""
        rare = fullness(rows, most, self.expected)[1]
        return partial(self.formula, rare=rare) if self.wary else self.formula

    def most_bins(self, threshold: float, rows: float) -> int:
        """So many that the bias, ``scale (k - 1) / (2 rows)``, is a tenth of the threshold."""
        limit = threshold**2 if self.root else threshold
        return max(FEWEST, 1 + int(NOISE * limit * 2 * rows / self.scale + 1e-9))


def _bounds(
    formula: Formula, scale: float, ours: Counts, theirs: Counts, errors: tuple[float, float]
) -> tuple[float, float, float]:
    """Value, low and high of the formula's divergence."""
    law = _law(formula, scale, ours, theirs)
    least, most = _half_a_row(formula, ours, theirs) if len(ours) == 2 else (law.found,) * 2  # noqa: PLR2004
    value = max(0.0, (law.found - law.start[0]) / (1 + law.below[0]))

    def is_large(divergence: float) -> bool:
        return tails(least, *law.at(divergence))[1] < errors[0]

    def is_small(divergence: float) -> bool:
        # Shares more equal than chance would have them are no evidence that they are equal.
        return tails(max(most, law.start[0]), *law.at(divergence))[0] > errors[1]

    far = max(law.found, law.start[0])
    while is_small(far):
        far *= 2
    return value, _last(is_large, 0.0, value), _last(is_small, value, max(far, value))


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The last place between ``low`` and ``high`` where it holds; ``low`` when it never does."""
    if not holds(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


@dataclass(frozen=True, slots=True)
class _Law:
    """Moments of the plug-in value, as lines in the divergence that bend at ``found``.

    ``start`` are bias, variance and third cumulant where nothing moved; ``below`` and ``above``
    how they grow up to the divergence ``found``, and beyond.
    """

    found: float
    start: tuple[float, ...]
    below: tuple[float, ...]
    above: tuple[float, ...]

    def at(self, divergence: float) -> tuple[float, float, float]:
        """Mean, variance and third cumulant under a divergence."""
        near, far = min(divergence, self.found), max(divergence - self.found, 0.0)
        start, below, above = self.start, self.below, self.above
        return (
            divergence + start[0] + below[0] * near + above[0] * far,
            start[1] + below[1] * near + above[1] * far,
            start[2] + below[2] * near + above[2] * far,
        )


def _law(formula: Formula, scale: float, ours: Counts, theirs: Counts) -> _Law:
    n, m = float(ours.sum()), float(theirs.sum())
    p, q = shares(ours, theirs)
    both = ours + theirs + 2 * SMOOTHING
    both /= both.sum()
    none, here = (
        [
            float(part[i])
            for part in moments(formula, np.array([both, p]), np.array([both, q]), n, m)
        ]
        for i in (0, 1)
    )
    distance = math.sqrt(1 + _BEYOND * math.sqrt(here[2]) / max(here[0], 1e-12))
    p, q = (_towards(both, part, min(distance, 2.0)) for part in (p, q))
    there = [float(part) for part in moments(formula, p, q, n, m)]
    rows = evidence(n, m)
    # What is found is noise where nothing moved: there the moments grow as theory has it.
    grain, local = none[1], (0.0, 2 * scale / rows, 6 * (scale / rows) ** 2)
    below, above = (
        tuple(
            (to[i + 1] - since[i + 1] + grain * local[i]) / (max(0.0, to[0] - since[0]) + grain)
            for i in range(3)
        )
        for since, to in ((none, here), (here, there))
    )
    return _Law(here[0], tuple(none[1:]), _growing(below, local[1]), _growing(above, local[1]))


def _growing(slopes: tuple[float, ...], usual: float) -> tuple[float, float, float]:
    """Slopes of the moments with which mean and variance grow, as few rows may have hidden."""
    return max(slopes[0], -0.9), max(slopes[1], 1e-3 * usual), slopes[2]


def _towards(start: Counts, through: Counts, distance: float) -> Counts:
    """Shares on the exponential path from ``start`` through another, at a distance of its own."""
    found = start * (through / start) ** distance
    total: Counts = found / found.sum()
    return total


def _half_a_row(formula: Formula, ours: Counts, theirs: Counts) -> tuple[float, float]:
    """The value if half a row less, and half a row more, had moved (Yates, 1934).

    Of two bins the counts are few whole numbers, and steps between them wide.
    """
    p, q = (part[0] for part in shares(ours, theirs))
    step = 0.5 / float(ours.sum())
    away = math.copysign(step, p - q)
    less = q if abs(p - q) < step else p - away
    found = np.clip([[less, p + away]], 1e-12, 1 - 1e-12)
    both = formula(np.concatenate([found, 1 - found]).T, np.array([[q, 1 - q]]))
    least, most = both.value.sum(-1)
    return float(least), float(most)

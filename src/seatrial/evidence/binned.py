"""Bounds of a sum over bins of absolute means, such as a calibration error.

Chance moves every bin a little away from nothing, and absolute values never cancel: the sum is too
great on few rows even for a perfect model (Kumar, Liang and Ma 2019, "Verified uncertainty
calibration", NeurIPS). So no spread of the sum itself can bound it from below. But it is a norm:
by the triangle inequality it is too great by no more than the norm of what chance does to the
bins, whose law is known; and it is too small by no more than what chance does to the bins with the
signs that they truly have, which do cancel, as in any mean.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import means
from seatrial.evidence.rates import LEVEL

if TYPE_CHECKING:
    from seatrial.evidence.clusters import Clusters

    Binned = tuple[np.ndarray, np.ndarray]

DRAWS = 10_000
FEWEST = 1000

HELD = 1_000_000
"""Numbers that are drawn, about; of hundreds of bins there are fewer draws."""

STEPS = 20
"""Halvings of what is searched: to a millionth of it."""


def of_one(
    bins: np.ndarray, apart: np.ndarray, *, seed: int, clusters: Clusters | None = None
) -> tuple[float, float]:
    """(low, high) of the sum; ``bins`` [n] numbers the bin of each row, ``apart`` [n] is averaged.

    >>> apart = np.where(np.arange(200) % 2, 0.5, -0.5)
    >>> low, high = of_one(np.zeros(200, int), apart, seed=1)
    >>> low, bool(0.05 < high < 0.08)
    (0.0, True)
    """
    if _units(len(apart), clusters) < 2:
        return 0.0, 1.0
    value, errors = _sum(bins, apart), _errors(bins, apart, clusters)
    drawn = _drawn(len(errors), seed)
    reach = float(np.quantile(np.abs(drawn) @ errors, LEVEL))
    # either holds, and the first is the sharper one but where the sum is smaller than usual
    high = min(_greatest(value, errors, drawn), value + reach)
    return max(value - reach, 0.0), min(high, 1.0)


def of_difference(
    first: Binned, second: Binned, *, seed: int, clusters: Clusters | None = None
) -> tuple[float, float]:
    """(low, high) of the first's sum less the second's, both of the same rows.

    Either bound allows for the one sum being too small and the other too great (the module's two
    inequalities), drawn as if they were independent. That a sum is too small has the sign of what
    chance does, that it is too great has none: so they hardly move together, however alike the
    models are.

    >>> apart = np.where(np.arange(200) % 2, 0.5, -0.5)
    >>> low, high = of_difference((np.zeros(200, int), apart), (np.zeros(200, int), apart), seed=1)
    >>> low == -high < 0
    True
    """
    if _units(len(first[1]), clusters) < 2:
        return -1.0, 1.0
    apart = _sum(*first) - _sum(*second)
    mine, theirs = (_errors(*each, clusters) for each in (first, second))
    below, above = _off(theirs, mine, seed), _off(mine, theirs, seed)
    return max(apart - below, -1.0), min(apart + above, 1.0)


def _sum(bins: np.ndarray, apart: np.ndarray) -> float:
    return float(np.abs(np.bincount(bins, apart)).sum() / len(apart))


def _units(rows: int, clusters: Clusters | None) -> int:
    return clusters.count if clusters else rows


def _errors(bins: np.ndarray, apart: np.ndarray, clusters: Clusters | None) -> np.ndarray:
    """[bins with rows] how far chance moves each mean, widened as Student's t is."""
    errors = []
    for each in np.flatnonzero(np.bincount(bins)):
        rows = np.where(bins == each, apart, 0.0)
        # a bin whose rows all agree may hide one that does not
        errors.append(means.deviation(clusters.totals(rows) if clusters else rows, one_row=1.0))
    wider = means.student(_units(len(apart), clusters) - 1) / means.student(1e9)
    return wider * np.array(errors)


def _drawn(bins: int, seed: int) -> np.ndarray:
    count = min(DRAWS, max(FEWEST, HELD // bins))
    return np.random.default_rng(seed).standard_normal((count, bins))


def _greatest(value: float, errors: np.ndarray, drawn: np.ndarray) -> float:
    """The greatest true sum of which one in twenty samples shows no more than ``value``.

    Chance adds the less to a sum, the more evenly it lies over the bins in units of their errors:
    the probability that normal variables stay in a set like this one is the greater, the less their
    means differ (Marshall and Olkin 1974, "Majorization in multivariate distributions", Annals of
    Statistics 2, for equal errors). So each bin is u errors off, and u is searched. A sample that
    shows less than a perfect model would typically show proves no more than one that shows that.
    """
    shown = max(value, float(np.median(np.abs(drawn) @ errors)))
    inside, outside = 0.0, shown / float(errors.sum()) + 4.0
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        plausible = np.quantile(np.abs(drawn + middle) @ errors, 1 - LEVEL) <= shown
        inside, outside = (middle, outside) if plausible else (inside, middle)
    return outside * float(errors.sum())


def _off(low: np.ndarray, great: np.ndarray, seed: int) -> float:
    """By how much at the most one sum is too small and another too great, taken together."""
    drawn = _drawn(len(great) + 1, seed)
    too_small = drawn[:, 0] * math.hypot(*low)
    return float(np.quantile(too_small + np.abs(drawn[:, 1:]) @ great, LEVEL))

"""Bounds of a sum over bins of absolute means, such as a calibration error.

Chance moves every bin a little away from nothing, and absolute values never cancel: the sum is too
great on few rows even for a perfect model (Kumar, Liang and Ma 2019, "Verified uncertainty
calibration", NeurIPS). So no spread of the sum itself can bound it from below. But it is a norm:
by the triangle inequality it is off by no more than the norm of what chance does to the bins,
whose law is known. That errs on the careful side, for perfect models as for bad ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import means
from seatrial.evidence.rates import LEVEL

if TYPE_CHECKING:
    from seatrial.evidence.clusters import Clusters

    Binned = tuple[np.ndarray, np.ndarray]

DRAWS = 10_000


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
    value = float(np.abs(np.bincount(bins, apart)).sum() / len(apart))
    reach = float(np.quantile(_chance(bins, apart, clusters, seed), LEVEL))
    return max(value - reach, 0.0), min(value + reach, 1.0)


def of_difference(
    first: Binned, second: Binned, *, seed: int, clusters: Clusters | None = None
) -> tuple[float, float]:
    """(low, high) of the first's sum less the second's, both of the same rows.

    What chance does to either is drawn as if the other were independent of it, and added: the two
    may move against each other.

    >>> apart = np.where(np.arange(200) % 2, 0.5, -0.5)
    >>> low, high = of_difference((np.zeros(200, int), apart), (np.zeros(200, int), apart), seed=1)
    >>> low == -high < 0
    True
    """
    if _units(len(first[1]), clusters) < 2:
        return -1.0, 1.0
    values = [float(np.abs(np.bincount(*each)).sum() / len(each[1])) for each in (first, second)]
    chance = sum(_chance(*each, clusters, seed) for each in (first, second))
    reach = float(np.quantile(chance, LEVEL))
    apart = values[0] - values[1]
    return max(apart - reach, -1.0), min(apart + reach, 1.0)


def _units(rows: int, clusters: Clusters | None) -> int:
    return clusters.count if clusters else rows


def _chance(
    bins: np.ndarray, apart: np.ndarray, clusters: Clusters | None, seed: int
) -> np.ndarray:
    """[DRAWS] sums over the bins of what chance alone moves each mean by, either way."""
    n = len(apart)
    units = _units(n, clusters)
    errors = []
    for each in np.flatnonzero(np.bincount(bins)):
        rows = np.where(bins == each, apart, 0.0)
        # a bin whose rows all agree may hide one that does not
        errors.append(means.deviation(clusters.totals(rows) if clusters else rows, one_row=1.0))
    wider = means.student(units - 1) / means.student(1e9)
    drawn = np.random.default_rng(seed).standard_normal((DRAWS, len(errors)))
    return np.asarray(wider * (np.abs(drawn) @ np.array(errors)))

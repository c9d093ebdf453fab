"""Bounds of anything that can be computed on drawn rows, or on drawn groups of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence.rates import Z

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Predictions

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn as a whole: ``rows`` [n] are row numbers, unit after unit of ``sizes`` [u]."""

    rows: np.ndarray
    sizes: np.ndarray


def interval(
    statistic: Callable[[np.ndarray], float], units: Units, *, seed: int
) -> tuple[float, float]:
    """(low, high) of ``statistic``, a function of row numbers, over draws of whole units.

    Bias-corrected percentiles: Efron (1981), "Nonparametric standard errors and confidence
    intervals", Canadian Journal of Statistics 9. Infinite below two units.

    >>> numbers = np.arange(100.0)
    >>> alone = Units(np.arange(100), np.ones(100, int))
    >>> low, high = interval(lambda rows: numbers[rows].mean(), alone, seed=1)
    >>> bool(44 < low < 46 and 53 < high < 55)
    True
    """
    count = len(units.sizes)
    if count < 2:
        return -math.inf, math.inf
    rng = np.random.default_rng(seed)
    value = statistic(units.rows)
    drawn = np.array([statistic(_draw(units, rng)) for _ in range(DRAWS)])
    below = float(np.mean(drawn < value) + np.mean(drawn == value) / 2)
    shift = 2 * NormalDist().inv_cdf(min(max(below, 1 / DRAWS), 1 - 1 / DRAWS))
    # A drawn sample spreads like a deviation that divides by the count, not by one less.
    widen = math.sqrt(count / (count - 1))
    low, high = (
        value + widen * (float(np.quantile(drawn, NormalDist().cdf(shift + z))) - value)
        for z in (-Z, Z)
    )
    return low, high


def units_of(groups: np.ndarray | None, y: np.ndarray, *models: Predictions) -> Units:
    """The rows of each group, or each row alone, in an order that a shuffled file does not change.

    ``groups`` [n] names the group of each row.

    >>> from seatrial.metrics import Predictions
    >>> units = units_of(np.array(["b", "a", "b"]), np.array([1, 2, 0]), Predictions(np.zeros(3)))
    >>> units.rows.tolist(), units.sizes.tolist()
    ([1, 2, 0], [1, 2])
    """
    keys = [np.unique(y, return_inverse=True)[1]]
    for model in models:
        keys.append(np.unique(model.label, return_inverse=True)[1])
        if model.probabilities is not None:
            keys.extend(model.probabilities.T)
    if groups is None:
        return Units(np.lexsort(keys[::-1]), np.ones(len(y), dtype=np.intp))
    group = np.unique(groups, return_inverse=True)[1]
    return Units(np.lexsort([*keys[::-1], group]), np.bincount(group))


def _draw(units: Units, rng: np.random.Generator) -> np.ndarray:
    chosen = rng.integers(0, len(units.sizes), len(units.sizes))
    sizes = units.sizes[chosen]
    starts = (np.cumsum(units.sizes) - units.sizes)[chosen]
    offset = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    return np.asarray(units.rows[offset + np.arange(sizes.sum())])

"""Bounds of anything that can be computed on drawn rows, or on drawn groups of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import means
from seatrial.evidence.rates import LEVEL, Z

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Predictions

    Statistic = Callable[[np.ndarray], float]

DRAWS = 1000

MANY = 10_000
"""Rows from which on a draw is smaller than the sample, so that its cost grows no further."""

BLOCKS = 200
"""Parts left out in turn to see how the statistic leans."""

USUAL = 0.5
"""The rate of nearly all statistics: their spread shrinks with so much of a power of the rows."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is drawn as a whole: ``rows`` [n] are row numbers, unit after unit of ``sizes`` [u]."""

    rows: np.ndarray
    sizes: np.ndarray


def interval(statistic: Statistic, units: Units, *, seed: int) -> tuple[float, float]:
    """(low, high) of ``statistic``, a function of row numbers, over draws of whole units.

    By :func:`accelerated` draws of as many units as there are; beyond ten thousand rows by draws
    of ten thousand (:func:`_of_fewer`). Infinite below two units.

    >>> numbers = np.arange(100.0)
    >>> alone = Units(np.arange(100), np.ones(100, int))
    >>> low, high = interval(lambda rows: numbers[rows].mean(), alone, seed=1)
    >>> bool(44 < low < 46 and 53 < high < 55)
    True
    """
    count = len(units.sizes)
    if count < 2:
        return -math.inf, math.inf
    if len(units.rows) > MANY:
        return _of_fewer(statistic, units, seed)
    value = statistic(units.rows)
    left = _left_out(statistic, units)
    drawn = _drawn(statistic, units, count, seed)
    # Drawn samples spread like a deviation that divides by the count, not by one less; both
    # widenings as in Hesterberg (2015), "What teachers should know about the bootstrap", The
    # American Statistician 69.
    reach = means.student(count - 1) * math.sqrt(count / (count - 1))
    return accelerated(drawn, value, lean(left.mean() - left), reach=reach)


def accelerated(
    drawn: np.ndarray, value: float, leaning: float, *, reach: float = Z
) -> tuple[float, float]:
    """(low, high): bias-corrected and accelerated percentiles of values ``drawn`` anew.

    Efron (1987), "Better bootstrap confidence intervals", JASA 82: the share of draws below the
    value corrects its bias, ``leaning`` how its spread changes with it. ``reach`` is how many
    deviations either bound of a normal law is away.

    >>> drawn = np.random.default_rng(1).normal(0, 1, 100_000)
    >>> [round(bound, 1) for bound in accelerated(drawn, 0.0, 0.0)]
    [-1.6, 1.6]
    >>> [round(bound, 1) for bound in accelerated(drawn, 0.0, 0.1)]
    [-1.4, 2.0]
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - half a second, only when judging

    count = len(drawn)
    below = float(np.mean(drawn < value) + np.mean(drawn == value) / 2)
    shift = float(ndtri(min(max(below, 1 / count), 1 - 1 / count)))
    places = []
    for z in (-reach, reach):
        moved = shift + z
        # past a leaning of 1 the formula turns round: nothing lies further out than the last draw
        room = max(1 - leaning * moved, 1e-3)
        places.append(float(ndtr(shift + moved / room)))
    low, high = np.quantile(drawn, places)
    return float(low), float(high)


def lean(worth: np.ndarray) -> float:
    """The acceleration: a sixth of the skewness of what each part is ``worth`` ([b], centred).

    >>> lean(np.array([-1.0, 1.0])), round(lean(np.array([-1.0, -1.0, 2.0])), 3)
    (0.0, 0.068)
    """
    scale = float(np.sum(worth * worth)) ** 1.5
    return float(np.sum(worth * worth * worth)) / (6 * scale) if scale else 0.0


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


def _of_fewer(statistic: Statistic, units: Units, seed: int) -> tuple[float, float]:
    """The value, and either way the wider part of draws of m of the n units, times (m / n) ** rate.

    Bickel, Goetze and van Zwet (1997), "Resampling fewer than n observations", Statistica Sinica
    7. The rate is a half, unless draws of a quarter as many units show that the statistic settles
    more slowly: Bertail, Politis and Romano (1999), "On subsampling estimators with unknown rate
    of convergence", JASA 94. Both hold where plain resampling does and where it does not (the
    greatest error, say), for bounds that lie as far above the value as the draws lie below it: a
    greatest error is only ever drawn smaller, and may only be greater. Those that lie as far above
    as the draws do are better for a skewed mean. So the wider of the two counts.
    """
    count = len(units.sizes)
    few = max(2, min(count, round(MANY * count / len(units.rows))))
    value = statistic(units.rows)
    drawn = _drawn(statistic, units, few, seed)
    rate = USUAL
    if few >= 8:
        fewer = _drawn(statistic, units, few // 4, seed)
        rate = _rate(_spread(fewer), _spread(drawn), few / (few // 4))
    near = (few / count) ** rate
    apart = np.abs(np.quantile(drawn, [1 - LEVEL, LEVEL]) - value)
    reach = near * means.student(count - 1) / Z * float(apart.max())
    return value - reach, value + reach


def _rate(coarse: float, fine: float, times: float) -> float:
    # Two spreads of so many draws each: chance hardly moves the exponent by more than this.
    if not coarse or not fine:
        return USUAL
    chance = 4 / (math.sqrt(DRAWS) * math.log(times))
    found = math.log(coarse / fine) / math.log(times)
    return USUAL if found > USUAL - chance else max(found, 0.0)


def _spread(drawn: np.ndarray) -> float:
    low, high = np.quantile(drawn, [1 - LEVEL, LEVEL])
    return float(high - low)


def _drawn(statistic: Statistic, units: Units, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng((seed, count))
    ends = np.cumsum(units.sizes)
    return np.array([statistic(_draw(units, ends, count, rng)) for _ in range(DRAWS)])


def _draw(units: Units, ends: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    chosen = rng.integers(0, len(units.sizes), count)
    if len(units.rows) == len(units.sizes):
        return np.asarray(units.rows[chosen])
    sizes = units.sizes[chosen]
    starts = (ends - units.sizes)[chosen]
    offset = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    return np.asarray(units.rows[offset + np.arange(sizes.sum())])


def _left_out(statistic: Statistic, units: Units) -> np.ndarray:
    """The statistic without each unit, or without each of 200 blocks of them, taken like cards."""
    count = len(units.sizes)
    block = np.repeat(np.arange(count) % BLOCKS, units.sizes)
    return np.array([statistic(units.rows[block != each]) for each in range(min(count, BLOCKS))])

"""How long do answers take? A quantile with bounds that a busy machine cannot fool."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.speed.blocks import blocks, cut
from seatrial.evidence.clusters import Clusters
from seatrial.evidence.rates import LEVEL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

QUIET_SHARE = 0.25
"""The part of the blocks, the fastest, that a time must be too long in to count as too long."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of n times with one-sided 95 % bounds, in their unit.

    ``low`` is 0 and ``high`` infinite when so few times give no bound.
    """

    value: float
    low: float
    high: float
    n: int


def quantile(times: NDArray[Any], share: float, rounds: ArrayLike) -> Quantile:
    """The time that this ``share`` of the requests did not exceed; needs one.

    ``rounds`` [n] numbers the round of each. Times of a round are alike, and prove less than as
    many independent ones: they count as ``n / effect``, with the design effect of lying beyond
    the quantile (Woodruff 1952, "Confidence intervals for medians and other position measures",
    Journal of the American Statistical Association 47; Korn and Graubard 1998, "Confidence
    intervals for proportions with small expected number of positive counts", Survey Methodology
    24). For so many, the bounds are order statistics, whatever the distribution (David and
    Nagaraja 2003, "Order Statistics", 7.1).

    What disturbs can only slow down. So ``high`` is drawn from all rounds, and ``low`` also from
    the fastest quarter of the time, whichever is lower: a time counts as too long only where the
    machine was quietest. That quarter is chosen by what it shows, which errs on the careful side.

    >>> steady = quantile(np.tile(np.arange(50.0), 40), 0.95, np.repeat(np.arange(40), 50))
    >>> steady.value, steady.low, steady.high
    (47.0, 46.0, 47.0)
    """
    values = np.asarray(times, dtype=np.float64)
    value = _rank(np.sort(values), math.ceil(share * len(values)))
    beyond = (values > value).astype(np.float64)
    # Of times that are all on one side nothing can be told, and they are taken one by one.
    mixed = 0 < beyond.sum() < len(values)
    effect = Clusters.of(blocks(rounds, least=1)).effect(beyond) if mixed else 1.0
    low, high = _bounds(values, share, effect)
    quietest, _ = _bounds(values[_quiet(values, blocks(rounds))], share, effect)
    return Quantile(value, min(low, quietest, value), max(high, value), len(values))


def _bounds(values: NDArray[np.float64], share: float, effect: float) -> tuple[float, float]:
    """(low, high): the order statistics that bound so many as they are worth, scaled up again."""
    ordered, n = np.sort(values), len(values)
    worth = math.floor(n / effect)
    below, above = ranks(worth, share)
    low = _rank(ordered, math.floor(below / worth * n)) if below else 0.0
    high = _rank(ordered, math.ceil(above / worth * n)) if above else math.inf
    return low, high


def _quiet(values: NDArray[np.float64], of_block: NDArray[np.intp]) -> NDArray[np.bool_]:
    """[n] whether a time lies in one of the fastest blocks."""
    middles = [float(np.median(part)) for part in cut(values, of_block)]
    count = max(math.ceil(QUIET_SHARE * len(middles)), 1)
    return np.isin(of_block, np.argsort(middles)[:count])


def _rank(ordered: NDArray[np.float64], rank: int) -> float:
    """The time of that rank, from 1."""
    return float(ordered[min(max(rank, 1), len(ordered)) - 1])


def ranks(n: int, share: float) -> tuple[int, int]:
    """Which of n sorted times (from 1) bound the quantile below and above; 0 where none does.

    >>> ranks(59, 0.95), ranks(58, 0.95)[1], ranks(1000, 0.95)
    ((53, 59), 0, (938, 962))
    """
    from scipy.special import bdtr  # noqa: PLC0415 - half a second, only when judging

    at_most = np.concatenate([[0.0], bdtr(np.arange(n), n, share)])  # [r]: fewer than r lie below
    below = int(np.searchsorted(at_most, 1 - LEVEL, side="right")) - 1
    above = int(np.searchsorted(at_most, LEVEL, side="left"))
    return max(below, 0), above if above <= n else 0

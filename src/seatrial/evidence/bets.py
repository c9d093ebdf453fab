"""How strong is the evidence that a mean lies above a level, however often one looks?

Whoever doubts "the mean of d is at most m" bets against it. With d within [-B, B] the number
``(d + B) / (m + B)`` is never negative, and if the doubted sentence is true its mean is at most 1:
a fair game or worse. Staking a fixed part c of one's wealth on each label multiplies the wealth by
``1 + c ((d + B) / (m + B) - 1)``, so the wealth is a non-negative supermartingale, and

    P(the wealth ever reaches 1 / alpha) <= alpha

(Ville 1939, "Etude critique de la notion de collectif"). Great wealth is evidence: an e-value.
Betting on bounded means: Waudby-Smith and Ramdas (2024), "Estimating means of bounded random
variables by betting", JRSS B 86. An average of wealths is again such a wealth, so nobody needs to
know the best stake, nor when a degradation began: both are averaged over (the method of mixtures,
Robbins 1970, "Statistical methods related to the law of the iterated logarithm", Annals of
Mathematical Statistics 41).

What this asks of the labels: given everything that came before, the mean of the next d is at most
m. Labels need not be independent nor alike. It holds also for the average: if the running average
of those conditional means is at most m when one looks, the product of the factors is at most that
of a martingale, because of all ``(1 + x)(1 + y)`` with one sum the greatest is where ``x = y``.

The factors multiply, so counts of the values of d are all that must be kept, in any order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BETS = 16
STAKES = 0.95 * np.geomspace(0.01, 1.0, BETS)
"""Parts of the wealth that are staked; never all of it, or one label could end the game."""

STEPS = 40
"""Halvings of a search: the bounds are exact to a millionth of a millionth of the range."""


def whole(counts: Floats, values: Floats, level: float | Floats) -> Floats:
    """Log of the e-value against "the mean is at most ``level``", from all labels.

    ``counts`` is [..., points]: how many labels had each of the ``values`` ([points], symmetric
    about 0, so that the last is the bound). ``level`` is one number, or [...].

    >>> values = np.array([-1.0, 0.0, 1.0])
    >>> float(whole(np.array([0.0, 0.0, 0.0]), values, 0.05))
    0.0
    >>> bool(whole(np.array([40.0, 920.0, 140.0]), values, 0.05) > math.log(20))
    True
    """
    return mean_of_exp(wealths(counts, values, level))


def wealths(counts: Floats, values: Floats, level: float | Floats) -> Floats:
    """[..., bets]: the logs of what each stake has made of 1, against that level."""
    factors = _log_factors(values, np.asarray(level, dtype=np.float64))
    logs: Floats = np.matmul(counts[..., None, :], factors)[..., 0, :]
    return logs


def onsets(since: Floats, values: Floats, levels: Sequence[float], purse: Floats) -> Floats:
    """[..., buckets, levels]: what each time of onset adds to the evidence against each level.

    ``since`` is that of :func:`suffixes`, ``purse`` that of :func:`purses`. The sum of the
    exponentials over the buckets is the e-value: one bettor for each bucket, who begins with that
    bucket and keeps the purse closed before. A bettor who looks away from some labels stays fair
    as long as the choice is made before the label is known, and the bucket of a request is:
    therefore labels may come late and in any order.

    Without the mixture, evidence from before the onset has to be lost first: see Shin, Ramdas and
    Rinaldo (2023), "E-detectors: a nonparametric framework for sequential change detection".
    """
    factors = _log_factors(values, np.asarray(levels, dtype=np.float64))
    # numpy adds up along rows of many buckets faster than along a few bets
    values_first = np.swapaxes(since, -1, -2)
    wealth = np.stack(
        [mean_of_exp(np.matmul(each.T, values_first), axis=-2) for each in factors], axis=-1
    )
    mixed: Floats = wealth + purse[:, None]
    return mixed


def purses(buckets: int) -> Floats:
    """[buckets]: the logs of what the bettors begin with; half is the first one's.

    >>> np.exp(purses(3)).round(2).tolist()
    [0.5, 0.25, 0.25]
    """
    if buckets == 1:
        return np.zeros(1)
    shares = np.full(buckets, 0.5 / (buckets - 1))
    shares[0] = 0.5
    logs: Floats = np.log(shares)
    return logs


def suffixes(counts: Floats) -> Floats:
    """[..., buckets, points]: the labels since the beginning of each bucket.

    >>> suffixes(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[4.0, 6.0], [3.0, 4.0]]
    """
    since: Floats = np.cumsum(counts[..., ::-1, :], axis=-2)[..., ::-1, :]
    return since


def together(logs: Floats, *, axis: int = -1) -> Floats:
    """The log of the sum of the exponentials over an axis.

    >>> round(float(together(np.log(np.array([2.0, 6.0])))), 4) == round(math.log(8), 4)
    True
    """
    greatest = logs.max(axis=axis, keepdims=True)
    summed: Floats = np.log(np.exp(logs - greatest).sum(axis=axis)) + greatest.squeeze(axis)
    return summed


def mean_of_exp(logs: Floats, *, axis: int = -1) -> Floats:
    """The log of the mean of the exponentials over an axis: the bets have equal purses."""
    return together(logs, axis=axis) - math.log(logs.shape[axis])


def bounds(counts: Floats, values: Floats, alpha: float) -> tuple[float, float]:
    """(low, high) of the mean, each wrong with a probability of at most ``alpha`` at any time.

    ``counts`` is [points]. The low bound is the greatest level that the e-value refuses; a
    factor falls as its level rises, so halving finds it. The high bound is the low bound of -d.
    Both hold at all looks together for a mean that stays; for one that moves, the low bound is at
    most the greatest of the conditional means so far, and the high bound at least the least. The
    least stake sets an end to how near they draw: about 0.5 % of the variance of d.

    >>> low, high = bounds(np.array([40.0, 920.0, 40.0]), np.array([-1.0, 0.0, 1.0]), 0.05)
    >>> round(low, 3), round(high, 3)
    (-0.028, 0.028)
    """
    n = float(counts.sum())
    bound = float(values[-1])
    if not n:
        return -bound, bound
    both = np.stack([counts, counts[::-1]])
    refused, kept = np.full(2, -bound), both @ values / n
    for _ in range(STEPS):
        middle = (refused + kept) / 2
        falls = whole(both, values, middle) >= -math.log(alpha)
        refused, kept = np.where(falls, middle, refused), np.where(falls, kept, middle)
    return float(refused[0]), -float(refused[1])


def low_since_onset(counts: Floats, values: Floats, bar: float) -> float:
    """The greatest level that the evidence mixed over the onset refuses; ``bar`` is a log.

    At some time in the watch the mean was above it.

    >>> late = np.array([[4.0, 92.0, 4.0], [0.0, 60.0, 40.0]])
    >>> round(low_since_onset(late, np.array([-1.0, 0.0, 1.0]), math.log(20)), 3)
    0.246
    """
    since, purse = suffixes(counts), purses(len(counts))
    refused, kept = -float(values[-1]), float(values[-1])
    for _ in range(STEPS):
        middle = (refused + kept) / 2
        falls = together(onsets(since, values, (middle,), purse)[..., 0]) >= bar
        refused, kept = (middle, kept) if falls else (refused, middle)
    return refused


def _log_factors(values: Floats, level: Floats) -> Floats:
    """[..., points, bets]: the log of what one label of each value multiplies the wealth by."""
    bound = values[-1]
    # at the end of the range nothing is left to be lost: whatever lies above it is then certain
    room = np.maximum(level + bound, 1e-12 * bound)
    factors: Floats = np.log1p(((values + bound) / room[..., None] - 1)[..., None] * STAKES)
    return factors

"""Bounds of a share of rows: one model's, and the difference between two on the same rows."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LEVEL = 0.95
"""Confidence of each bound, one-sided."""

Z = NormalDist().inv_cdf(LEVEL)


def of_one(successes: float, trials: float) -> tuple[float, float]:
    """(low, high) of a rate: the exact binomial bounds.

    Source: Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in
    the case of the binomial", Biometrika 26. Whatever the rate, either bound errs in at most 5 %
    of samples, also at 0 and at 1, where Wilson's one-sided bound errs more often.

    >>> [round(bound, 4) for bound in of_one(50, 50)]
    [0.9418, 1.0]
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - half a second, only when judging

    low, high = 0.0, 1.0
    if successes > 0:
        low = float(betaincinv(successes, trials - successes + 1, 1 - LEVEL))
    if successes < trials:
        high = float(betaincinv(successes + 1, trials - successes, LEVEL))
    return low, high


def of_difference(only_first: float, only_second: float, n: float) -> tuple[float, float]:
    """(low, high) of rate(first) - rate(second), both measured on the same n rows.

    ``only_first`` and ``only_second`` count the rows where one is right and the other wrong.
    Source: Tango (1998), "Equivalence test and confidence interval for the difference in
    proportions for the paired-sample design", Statistics in Medicine 17: the score interval.

    >>> [round(bound, 4) for bound in of_difference(12, 2, 50)]
    [0.0855, 0.3204]
    """
    observed = (only_first - only_second) / n
    high = _crossing(
        lambda delta: _score(only_first, only_second, n, delta) < -Z, inside=observed, outside=1.0
    )
    low = _crossing(
        lambda delta: _score(only_first, only_second, n, delta) > Z, inside=observed, outside=-1.0
    )
    return low, high


def _score(first: float, second: float, n: float, delta: float) -> float:
    # Distance of what was observed from delta, in standard errors that hold if delta is true.
    middle = -first - second + (2 * n - first + second) * delta
    last = -second * delta * (1 - delta)
    only_second = (math.sqrt(max(middle**2 - 8 * n * last, 0)) - middle) / (4 * n)
    variance = n * (2 * only_second + delta * (1 - delta))
    gap = first - second - n * delta
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)


def _crossing(refused: Callable[[float], bool], *, inside: float, outside: float) -> float:
    # Where the refused part begins between a point that is not refused and the end of the range.
    if abs(inside) >= 1 and inside == outside:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if refused(middle) else (middle, outside)
    return outside

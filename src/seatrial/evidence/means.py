"""Bounds of the mean of n independent rows."""

from __future__ import annotations

import math

import numpy as np

from seatrial.evidence.rates import LEVEL


def interval(rows: np.ndarray, *, one_row: float = 0.0) -> tuple[float, float]:
    """(low, high) of the mean that ``rows`` ([n]) are drawn from; infinite below two rows.

    ``one_row`` is what a single row can plausibly be worth. Rows that all agree prove no more
    than that fewer than about one in n differs, so the deviation is at least that of one such row.

    >>> low, high = interval(np.array([0.1, 0.3, 0.2, 0.25, 0.15]))
    >>> round(low, 3), round(high, 3)
    (0.125, 0.275)
    """
    n = len(rows)
    if n < 2:
        return -math.inf, math.inf
    mean = float(np.mean(rows))
    centred = rows - mean
    variance = max(float(np.sum(centred**2)) / (n - 1), one_row**2 / n) / n
    below, above = reach(variance, float(np.mean(centred**3)) / n**2, n - 1)
    return mean - below, mean + above


def reach(variance: float, third: float, freedom: float) -> tuple[float, float]:
    """(below, above): how far the truth may be from an estimate, which has these two moments.

    ``variance`` and ``third`` are the estimate's own (for a mean: those of a row over n and n^2).

    The wider of Student's t and of t after Hall's transformation, which takes the skewness out
    (Hall 1992, "On the removal of skewness by transformation", JRSS B 54). Losses are skewed, and
    on the side of their tail plain t errs two or three times as often as it says; for differences
    of losses, with two tails, it is Hall's bound that is the narrow one.

    >>> [round(side, 2) for side in reach(1.0, 0.5, 100)]
    [1.66, 2.23]
    """
    deviation = math.sqrt(variance)
    quantile = student(freedom)
    skewness = third / deviation**3 if deviation > 0 else 0.0
    return (
        deviation * max(quantile, _unskewed(quantile, skewness)),
        deviation * max(quantile, -_unskewed(-quantile, skewness)),
    )


def student(freedom: float) -> float:
    """The 95 % quantile of Student's t with that many degrees of freedom.

    >>> round(student(4), 3)
    2.132
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - half a second, only when judging

    return float(stdtrit(freedom, LEVEL))


def _unskewed(quantile: float, a: float) -> float:
    # The inverse of Hall's g(T) = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6, a being the skewness.
    if abs(a) < 1e-6:
        return quantile
    return 3 / a * (math.cbrt(1 + a * (quantile - a / 6)) - 1)

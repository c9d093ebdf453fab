"""Bounds of the mean of n independent rows, and of the difference between two on the same rows."""

from __future__ import annotations

import math

import numpy as np

from seatrial.evidence import logits
from seatrial.evidence.rates import LEVEL


def interval(rows: np.ndarray, *, one_row: float = 0.0) -> tuple[float, float]:
    """(low, high) of the mean that ``rows`` ([n]) are drawn from; infinite below two rows.

    The wider of Student's t and of t after Hall's transformation, which takes the skewness out
    (Hall 1992, "On the removal of skewness by transformation", JRSS B 54). Losses are skewed, and
    on the side of their tail plain t errs two or three times as often as it says; for differences
    of losses, which have two tails, it is Hall's bound that is too narrow.

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
    error = deviation(rows, one_row=one_row)
    if error == 0:
        return mean, mean
    skewness = float(np.mean(((rows - mean) / (error * math.sqrt(n))) ** 3)) / math.sqrt(n)
    quantile = student(n - 1)
    return (
        mean - error * max(quantile, _unskewed(quantile, skewness)),
        mean + error * max(quantile, -_unskewed(-quantile, skewness)),
    )


def share(rows: np.ndarray, *, one_row: float, rarest: int) -> tuple[float, float]:
    """(low, high) of a mean that lies in [0, 1] and rests on the ``rarest`` class's rows.

    >>> low, high = share(np.array([0.9, 1.0, 0.8, 0.9]), one_row=0.5, rarest=3)
    >>> low > 0, high < 1
    (True, True)
    """
    if rarest < 2:
        return 0.0, 1.0
    reach = student(rarest - 1) * deviation(rows, one_row=one_row)
    return logits.of_one(float(np.mean(rows)), reach)


def shares(
    first: np.ndarray, second: np.ndarray, *, one_row: float, rarest: int
) -> tuple[float, float]:
    """(low, high) of the difference of two such means on the same rows.

    >>> same = np.array([0.9, 1.0, 0.8, 0.9])
    >>> low, high = shares(same, same, one_row=0.1, rarest=3)
    >>> low < 0 < high
    True
    """
    if rarest < 2:
        return -1.0, 1.0
    quantile = student(rarest - 1)
    one, other = ((float(np.mean(rows)), quantile * deviation(rows)) for rows in (first, second))
    scale = float(np.std(first) * np.std(second))
    joint = float(np.mean((first - one[0]) * (second - other[0])))
    reach = quantile * deviation(first - second, one_row=one_row)
    return logits.of_difference(one, other, joint / scale if scale else 0.0, reach)


def deviation(rows: np.ndarray, *, one_row: float = 0.0) -> float:
    """Standard error of the mean of ``rows``, at least that which ``one_row`` in n would give.

    >>> deviation(np.zeros(10), one_row=0.5)
    0.05
    """
    n = len(rows)
    return math.sqrt(max(float(np.var(rows, ddof=1)), one_row**2 / n) / n)


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

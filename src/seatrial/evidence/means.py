"""Bounds of the mean of n independent rows."""

from __future__ import annotations

import math

import numpy as np

from seatrial.evidence.rates import LEVEL


def interval(rows: np.ndarray, *, one_row: float = 0.0) -> tuple[float, float]:
    """(low, high) of the mean that ``rows`` ([n]) are drawn from; infinite below two rows.

    Student's t after Hall's transformation, which takes the skewness out of the studentised mean
    (Hall 1992, "On the removal of skewness by transformation", JRSS B 54): losses are skewed, and
    the plain t bound on the side of their tail errs far more often than it says.

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
    spread = math.sqrt(float(np.mean(centred**2)))
    deviation = max(spread * math.sqrt(n / (n - 1)), one_row / math.sqrt(n))
    flat = spread <= 1e-12 * max(abs(mean), 1e-300)
    skewness = 0.0 if flat else float(np.mean((centred / spread) ** 3))
    error = deviation / math.sqrt(n)
    quantile = student(n - 1)
    return (
        mean - error * _unskewed(quantile, skewness, n),
        mean - error * _unskewed(-quantile, skewness, n),
    )


def student(freedom: float) -> float:
    """The 95 % quantile of Student's t with that many degrees of freedom.

    >>> round(student(4), 3)
    2.132
    """
    from scipy.special import stdtrit  # noqa: PLC0415 - half a second, only when judging

    return float(stdtrit(freedom, LEVEL))


def _unskewed(quantile: float, skewness: float, n: int) -> float:
    # The inverse of Hall's g(T) = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6 with a = skewness / sqrt(n).
    a = skewness / math.sqrt(n)
    if abs(a) < 1e-6:
        return quantile
    return 3 / a * (math.cbrt(1 + a * (quantile - a / 6)) - 1)

"""Bounds of the mean of n independent rows, and of the difference between two on the same rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import logits
from seatrial.evidence.rates import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable

PRIOR = 30
"""Rows of the rarer class that what is known beforehand about a share counts for."""


def interval(
    rows: np.ndarray, *, one_row: float = 0.0, most: float = math.inf
) -> tuple[float, float]:
    """(low, high) of the mean that ``rows`` ([n]) are drawn from; infinite below two rows.

    The wider of Student's t and of t after Hall's transformation, which takes the skewness out
    (Hall 1992, "On the removal of skewness by transformation", JRSS B 54). Losses are skewed, and
    on the side of their tail plain t errs two or three times as often as it says; for differences
    of losses, which have two tails, it is Hall's bound that is too narrow. Long tails also count
    as fewer degrees of freedom (:func:`freedom`).

    ``one_row`` is what a single row can plausibly be worth. Rows that all agree prove no more
    than that fewer than about one in n differs, so the deviation is at least that of one such row.
    There are at most ``most`` degrees of freedom, at least one.

    >>> low, high = interval(np.array([0.1, 0.3, 0.2, 0.25, 0.15]))
    >>> round(low, 3), round(high, 3)
    (0.125, 0.275)
    """
    if len(rows) < 2:
        return -math.inf, math.inf
    mean = float(np.mean(rows))
    apart = rows - mean
    squares = apart * apart
    powers = (squares, squares * apart, squares * squares)
    moments = [float(np.mean(each)) for each in powers]
    return _of_moments(len(rows), mean, moments, one_row, most)


def ratio(part: np.ndarray, whole: np.ndarray, *, one_row: float = 0.0) -> tuple[float, float]:
    """(low, high) of mean(part) / mean(whole), both [n] of the same rows; ``whole`` is positive.

    The ratios r for which the mean of part - r whole is not told from 0 (:func:`interval`): Fieller
    (1954), "Some problems in interval estimation", JRSS B 16. To first order a ratio is lopsided on
    few rows, and misses by half as much again as it says. Infinite where ``whole`` itself is not
    told from 0. ``one_row`` is in units of the ratio.

    >>> part, whole = np.array([0.1, 0.3, 0.2, 0.25, 0.15]), np.array([1.1, 0.9, 1.0, 0.8, 1.2])
    >>> low, high = ratio(part, whole)
    >>> round(low, 3), round(high, 3)
    (0.111, 0.317)
    """
    n = len(part)
    if n < 2:
        return -math.inf, math.inf
    means = float(np.mean(part)), float(np.mean(whole))
    ups, downs = _powers(part - means[0]), _powers(whole - means[1])
    mixed = {
        (order - down, down): float(ups[order - down] @ downs[down]) / n
        for order in (2, 3, 4)
        for down in range(order + 1)
    }

    def told_apart(r: float) -> bool:
        moments = [
            sum(
                math.comb(order, down) * (-r) ** down * mixed[order - down, down]
                for down in range(order + 1)
            )
            for order in (2, 3, 4)
        ]
        low, high = _of_moments(n, means[0] - r * means[1], moments, one_row * means[1])
        return low > 0 or high < 0

    value = means[0] / means[1]
    return _edge(told_apart, value, -1), _edge(told_apart, value, 1)


def _powers(apart: np.ndarray) -> list[np.ndarray]:
    powers = [np.ones(len(apart))]
    for _ in range(4):
        powers.append(powers[-1] * apart)
    return powers


def _edge(told_apart: Callable[[float], bool], value: float, sign: int) -> float:
    step = max(abs(value), 1e-6)
    for _ in range(60):
        if told_apart(value + sign * step):
            break
        step *= 2
    else:
        return sign * math.inf
    inside, outside = 0.0, step
    for _ in range(60):
        middle = (inside + outside) / 2
        told = told_apart(value + sign * middle)
        inside, outside = (inside, middle) if told else (middle, outside)
    return value + sign * outside


def _of_moments(
    n: int, mean: float, moments: list[float], one_row: float, most: float = math.inf
) -> tuple[float, float]:
    # ``moments`` are the second to the fourth about the mean.
    second, third, fourth = moments
    error = math.sqrt(max(second * n / (n - 1), one_row**2 / n) / n)
    if error <= 0:
        return mean, mean
    skewness = third / (error * math.sqrt(n)) ** 3 / math.sqrt(n)
    quantile = student(min(_freedom(n, second, fourth), most))
    return (
        mean - error * max(quantile, _unskewed(quantile, skewness)),
        mean + error * max(quantile, -_unskewed(-quantile, skewness)),
    )


def share(
    rows: np.ndarray, *, one_row: float, rarest: int, optimism: float = 0.0
) -> tuple[float, float]:
    """(low, high) of a mean that lies in [0, 1] and rests on the ``rarest`` class's rows.

    With few of them, rows that happen to be spread little would prove too much. So the variance
    is at least its mean with that of a rate over as many trials as there are rows of the rarer
    class, which counts for 30 of them (Boyd, Eng and Page 2013, "Area under the precision-recall
    curve: point estimates and confidence intervals", ECML, bound by the latter alone).
    ``optimism`` is taken off before the low bound is computed.

    >>> low, high = share(np.array([0.9, 1.0, 0.8, 0.9]), one_row=0.5, rarest=3)
    >>> low > 0, high < 1
    (True, True)
    """
    if rarest < 2:
        return 0.0, 1.0
    value = float(np.mean(rows))
    error = deviation(rows, one_row=one_row)
    of_rate = max(value * (1 - value), 0.0) / rarest
    error = max(error, math.sqrt((rarest * error**2 + PRIOR * of_rate) / (rarest + PRIOR)))
    reach = student(min(rarest - 1, freedom(rows))) * error
    return logits.of_one(max(value - optimism, 0.0), reach)[0], logits.of_one(value, reach)[1]


def shares(
    first: np.ndarray,
    second: np.ndarray,
    *,
    one_row: float,
    rarest: int,
    optimism: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float]:
    """(low, high) of the difference of two such means on the same rows.

    >>> same = np.array([0.9, 1.0, 0.8, 0.9])
    >>> low, high = shares(same, same, one_row=0.1, rarest=3)
    >>> low < 0 < high
    True
    """
    if rarest < 2:
        return -1.0, 1.0
    quantile = student(min(rarest - 1, freedom(first - second)))
    one, other = ((float(np.mean(rows)), quantile * deviation(rows)) for rows in (first, second))
    scale = float(np.std(first) * np.std(second))
    joint = float(np.mean((first - one[0]) * (second - other[0])))
    reach = quantile * deviation(first - second, one_row=one_row)
    low, high = logits.of_difference(one, other, joint / scale if scale else 0.0, reach)
    flattered = optimism[0] - optimism[1]
    return min(low, low - flattered), max(high, high - flattered)


def freedom(rows: np.ndarray) -> float:
    """Degrees of freedom of the variance of ``rows`` ([n]): n - 1 when they look normal, or fewer.

    Those of the chi-square law whose variance, relative to its mean, is that of the sample
    variance of rows with this kurtosis k: 2 n / (k - (n - 3) / (n - 1)). Source: Satterthwaite
    (1946), "An approximate distribution of estimates of variance components", Biometrics
    Bulletin 2.

    >>> freedom(np.array([-1.0, 1.0] * 50))
    99.0
    >>> round(freedom(np.arange(100) == 0.0), 1)
    2.1
    """
    apart = rows - np.mean(rows)
    squares = apart * apart
    return _freedom(len(rows), float(np.mean(squares)), float(np.mean(squares * squares)))


def _freedom(n: int, second: float, fourth: float) -> float:
    if second <= 0:
        return n - 1.0
    excess = fourth / second**2 - (n - 3) / (n - 1)
    return n - 1.0 if excess <= 0 else max(min(n - 1.0, 2 * n / excess), 1.0)


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

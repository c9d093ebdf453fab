"""Bounds of estimates that cannot leave [0, 1], from their standard errors."""

from __future__ import annotations

import math


def of_one(value: float, reach: float) -> tuple[float, float]:
    """(low, high) by the logit of a value, whose plain half-width would be ``reach``.

    >>> [round(bound, 3) for bound in of_one(0.95, 0.04)]
    [0.891, 0.978]
    >>> [round(bound, 3) for bound in of_one(1.0, 0.04)]
    [0.96, 1.0]
    """
    if not 0 < value < 1:
        return max(value - reach, 0.0), min(value + reach, 1.0)
    logit, width = math.log(value / (1 - value)), reach / (value * (1 - value))
    return _expit(logit - width), _expit(logit + width)


def of_difference(
    first: tuple[float, float], second: tuple[float, float], correlation: float, reach: float
) -> tuple[float, float]:
    """(low, high) of a difference of two values, each with the ``reach`` it would have alone.

    Zou and Donner (2008), "Construction of confidence limits about effect measures", Statistics
    in Medicine 27: the two models' own lopsided intervals, joined by their correlation, carry
    over that there is more room to be worse than to be better. A plain interval, symmetric with
    half-width ``reach``, would pass too often on few rows; it is the least that is given.

    >>> [round(bound, 3) for bound in of_difference((0.95, 0.04), (0.9, 0.05), 0.8, 0.03)]
    [0.014, 0.093]
    """
    (low, high), (other_low, other_high) = of_one(*first), of_one(*second)
    value = first[0] - second[0]
    below = _joined(first[0] - low, other_high - second[0], correlation)
    above = _joined(high - first[0], second[0] - other_low, correlation)
    return value - max(below, reach), value + max(above, reach)


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))


def _expit(logit: float) -> float:
    if logit < 0:
        return 1 - _expit(-logit)
    return 1 / (1 + math.exp(-logit))

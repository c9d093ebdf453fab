"""How probable is a value at most, and at least, so large? By mean, variance and third cumulant."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUND = 1e-3
"""Below this skewness a distribution is as good as normal."""


def tails(value: float, mean: float, variance: float, third: float) -> tuple[float, float]:
    """The probabilities of at most and of at least ``value``, by a shifted gamma distribution.

    Three moments of it fit a noncentral chi-square to about three digits (Pearson, 1959,
    Biometrika 46, 364), and its tail is right far out, where Bonferroni's bounds are.

    >>> [round(tail, 4) for tail in tails(3.841, 1.0, 2.0, 8.0)]  # chi-square, one of freedom
    [0.95, 0.05]
    """
    deviation = math.sqrt(variance)
    skewness = third / deviation**3
    z = (value - mean) / deviation
    if abs(skewness) < _ROUND:
        return math.erfc(-z / math.sqrt(2)) / 2, math.erfc(z / math.sqrt(2)) / 2
    shape = 4 / skewness**2
    at = max(0.0, shape + math.copysign(math.sqrt(shape), skewness) * z)
    lower, upper = _gamma()
    near, far = float(lower(shape, at)), float(upper(shape, at))
    return (near, far) if skewness > 0 else (far, near)


@cache
def _gamma() -> tuple[Callable[[float, float], float], ...]:
    """The lower and the upper part of the gamma function."""
    from scipy.special import gammainc, gammaincc  # noqa: PLC0415 - slow to import

    return gammainc, gammaincc

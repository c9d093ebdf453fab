"""How much better than it is does the best of several equal models look?"""

from __future__ import annotations

import numpy as np

NINETY_FIVE = 1.6448536269514722
"""A one-sided 95 % bound lies so many standard errors from the value (the normal quantile)."""


def best_of(models: int) -> float:
    """The expected maximum of so many standard normal values.

    ``models`` equal ones are scored on the same rows; the best score lies so many standard errors
    above the truth, if the scores are independent, and less far when the models are alike.
    The integral of x times the density of the maximum, k φ(x) Φ(x)^(k-1): David and Nagaraja,
    Order Statistics (2003), section 3.1.

    >>> [round(best_of(k), 3) for k in (1, 2, 40)]
    [0.0, 0.564, 2.161]
    """
    if models < 2:
        return 0.0
    from scipy.special import log_ndtr  # noqa: PLC0415 - slow to import

    x = np.linspace(-10, 12, 8801)
    below = (models - 1) * log_ndtr(x)
    density = np.exp(np.log(models) - x**2 / 2 - np.log(2 * np.pi) / 2 + below)
    return float(np.trapezoid(x * density, x))


def flattery(models: int, low: float, high: float) -> float:
    """By how much the best of so many equal models is overrated, in units of the metric.

    ``low`` and ``high`` are the one-sided 95 % bounds of one of them.

    >>> round(flattery(40, 0.86, 0.89), 3)
    0.02
    """
    return best_of(models) * (high - low) / (2 * NINETY_FIVE)

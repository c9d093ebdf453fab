"""How large are the numbers of a column, and how far apart? Parts add up to the whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGE = 1e150
"""From here on the square of a number overflows: it is in no mean, as if it were infinite."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Of finite numbers. ``n`` is how many ``mean`` and ``deviation`` are of: those below LARGE.

    ``minimum`` and ``maximum`` are of all finite numbers. None where there is no number.
    """

    n: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None


NONE = Moments()


def moments(values: NDArray[np.float64]) -> Moments:
    """The moments of ``values`` ``[n]``; NaN and infinities are passed over.

    >>> moments(np.array([1.0, 3.0, np.nan, np.inf]))
    Moments(n=2, minimum=1.0, maximum=3.0, mean=2.0, deviation=1.0)
    """
    if not values.size:
        return NONE
    with np.errstate(all="ignore"):
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        total = values.sum()
        # A finite sum has neither a NaN nor an infinity among its terms.
        if not (math.isfinite(total) and low > -LARGE and high < LARGE):
            return _of_the_finite(values)
        mean = total / values.size
        apart = values - mean
        np.multiply(apart, apart, out=apart)
    return _within(Moments(values.size, low, high, mean, math.sqrt(apart.sum() / values.size)))


def _of_the_finite(values: NDArray[np.float64]) -> Moments:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return NONE
    inner = finite[np.abs(finite) < LARGE]
    return replace(
        moments(inner), minimum=float(finite.min()) + 0.0, maximum=float(finite.max()) + 0.0
    )


def combined(one: Moments, other: Moments) -> Moments:
    """The moments of two parts together; exact up to rounding.

    Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample
    variances (1979), eq. 2.1.

    >>> combined(moments(np.array([1.0, 2.0])), moments(np.array([3.0])))
    Moments(n=3, minimum=1.0, maximum=3.0, mean=2.0, deviation=0.816496580927726)
    """
    ends = [m for m in (one, other) if m.minimum is not None and m.maximum is not None]
    low = min((m.minimum for m in ends if m.minimum is not None), default=None)
    high = max((m.maximum for m in ends if m.maximum is not None), default=None)
    n = one.n + other.n
    parts = [
        (m.n / n, m.mean, m.deviation)
        for m in (one, other)
        if m.n and m.mean is not None and m.deviation is not None
    ]
    if not parts:
        return Moments(n, low, high)
    (share, mean, deviation), *rest = parts
    for rest_share, rest_mean, rest_deviation in rest:
        step = rest_mean - mean
        mean += step * rest_share
        deviation = math.sqrt(
            share * deviation**2 + rest_share * rest_deviation**2 + share * rest_share * step**2
        )
    return _within(Moments(n, low, high, mean, deviation))


def rounded(found: Moments) -> Moments:
    """Mean and deviation to 12 digits: the order in which a processor adds shows in the last four.

    >>> rounded(Moments(3, 0.1, 0.1, 0.10000000000000002, 0.0)).mean
    0.1
    """
    if found.mean is None or found.deviation is None:
        return found
    mean, deviation = (float(f"{value:.12g}") for value in (found.mean, found.deviation))
    return _within(replace(found, mean=mean, deviation=deviation))


def _within(found: Moments) -> Moments:
    """A mean lies between the ends, whatever rounding says; no zero has a sign."""
    low, high, mean = found.minimum, found.maximum, found.mean
    if low is None or high is None or mean is None:
        return found
    low, high, mean = float(low) + 0.0, float(high) + 0.0, float(mean) + 0.0
    deviation = 0.0 if low == high else found.deviation
    return Moments(found.n, low, high, min(max(mean, low), high), deviation)

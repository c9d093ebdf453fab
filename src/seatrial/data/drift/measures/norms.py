"""How are the measures estimated that are norms of the difference of the shares?

No expansion holds where an absolute value has its kink, but the triangle inequality does: what is
found is at most the true distance and the norm of the noise. So the lower bound is the value less
a quantile of that norm, and exact where nothing moved. A norm is also the largest of some linear
functions, one for each pattern of signs; so the value is at least that function which attains the
true distance, and the upper bound is the value and the normal quantile of the noisiest function
that may be it. Both hold wherever the truth lies. The value itself is corrected in squares.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.drift.interval import BEYOND, NOTHING, Estimate, shares
from seatrial.data.drift.measures.lengths import lengths
from seatrial.data.drift.measures.noise import noise
from seatrial.data.drift.merging import FEWEST, NOISE, evidence, merged, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.drift.divergence import Counted

    Counts = NDArray[np.float64]

_UNSURE = 2.0
"""A difference of fewer deviations than this may have either sign."""


def total_variation(
    counted: Counted, threshold: float, alpha: float, beyond: float = BEYOND
) -> Estimate:
    """Half the sum of the absolute differences of the shares: the part of the rows that moved."""
    rows = evidence(*rows_of(counted))
    ours, theirs = merged(counted, most_bins(threshold, rows))
    if len(ours) < 2 or counted.same:  # noqa: PLR2004 - a single bin
        return NOTHING
    n, m = float(ours.sum()), float(theirs.sum())
    moved = ours / n - theirs / m
    p, q = shares(ours, theirs)
    covariance = _multinomial(p) / max(n - 1, 1) + _multinomial(q) / max(m - 1, 1)
    chance = noise(covariance, np.full(len(moved), 0.5), 0.5 / math.sqrt(rows))
    unsure = np.abs(moved) < _UNSURE * np.sqrt(covariance.diagonal())
    signs = np.where(unsure, 0.0, np.sign(moved))
    # Signs that balance have the most noise; those that are unsure may balance the others.
    balance = (max(0.0, abs(float(signs @ s)) - float(s[unsure].sum())) for s in (p, q))
    variance = sum((1 - b * b) / 4 / size for b, size in zip(balance, (n, m), strict=True))
    value = float(np.abs(moved).sum()) / 2
    step = 0.5 / n if len(moved) == 2 else 0.0  # noqa: PLR2004 - half a row, as Yates has it
    return _estimate(
        value,
        chance.square,
        value - chance.quantile(alpha) - step,
        min(1.0, value + step + _z(beyond) * variance**0.5),
    )


def most_bins(threshold: float, rows: float) -> int:
    """So many that the squared mean of their noise is a tenth of the threshold's square.

    That mean is sqrt(k / (2 pi rows)) of k equal bins.
    """
    return max(FEWEST, int(NOISE * threshold**2 * 2 * math.pi * rows))


def kolmogorov_smirnov(
    counted: Counted, threshold: float, alpha: float, beyond: float = BEYOND
) -> Estimate:
    """The largest difference of the shares up to an edge: at most that of all values.

    Missing values are below all others. The lower bound uses the law of Kolmogorov (1933), which
    is exact for ever narrower bins, or a union over the edges, whichever is less.
    """
    del threshold  # the noise of the largest difference does not grow with the bins
    from scipy.special import kolmogi  # noqa: PLC0415 - slow to import

    rows = evidence(*rows_of(counted))
    ours, theirs = _in_order(counted)
    if len(ours) < 2 or counted.same:  # noqa: PLR2004 - a single bin
        return NOTHING
    moved, covariance = _up_to_edges(ours, theirs)
    deviations = np.sqrt(covariance.diagonal())
    largest = float(deviations.max())
    margin = min(float(kolmogi(alpha)) / math.sqrt(rows), _z(alpha / (2 * len(moved))) * largest)
    # pi^2 / 12 is the mean square of the supremum of a Brownian bridge.
    square = min(math.pi**2 / 12 / rows, float(covariance.trace()))
    step = 0.5 / float(ours.sum()) if len(moved) == 1 else 0.0
    value = float(np.abs(moved).max())
    return _estimate(
        value,
        square,
        value - margin - step,
        min(1.0, float((np.abs(moved) + _z(beyond) * deviations).max()) + step),
    )


def wasserstein(
    counted: Counted, threshold: float, alpha: float, beyond: float = BEYOND
) -> Estimate:
    """How far the values moved on average, in deviations of the reference: the earth mover's.

    Every value counts as the middle of its bin; a missing one as one deviation below the lowest.
    """
    del threshold  # as above
    rows_of(counted)
    ours, theirs = _in_order(counted)
    if len(ours) < 2 or counted.same:  # noqa: PLR2004 - a single bin
        return NOTHING
    moved, covariance = _up_to_edges(ours, theirs)
    weights = lengths(counted)
    chance = noise(covariance, weights, math.sqrt(float(weights @ covariance @ weights)))
    unsure = np.abs(moved) < _UNSURE * np.sqrt(covariance.diagonal())
    patterns = (weights * np.where(unsure, either, np.sign(moved)) for either in (1.0, -1.0))
    variance = max(float(signed @ covariance @ signed) for signed in patterns)
    value = float(weights @ np.abs(moved))
    step = 0.5 / float(ours.sum()) * float(weights[0]) if len(moved) == 1 else 0.0
    return _estimate(
        value,
        chance.square,
        value - chance.quantile(alpha) - step,
        value + step + _z(beyond) * math.sqrt(variance),
    )


def _estimate(value: float, square: float, low: float, high: float) -> Estimate:
    """``square`` is the mean square of the norm of the noise."""
    low = max(0.0, low)
    # Noise adds in squares, as independent things do.
    corrected = math.sqrt(max(0.0, value**2 - square))
    return Estimate(min(max(corrected, low), high), low, high)


def _z(beyond: float) -> float:
    from scipy.special import ndtri  # noqa: PLC0415 - slow to import

    return -float(ndtri(beyond))


def _in_order(counted: Counted) -> tuple[Counts, Counts]:
    """All bins from the lowest to the highest, the missing values first where there are any."""
    if not any(counted.missing):
        return counted.current, counted.reference
    now, before = counted.missing
    return np.insert(counted.current, 0, now), np.insert(counted.reference, 0, before)


def _up_to_edges(ours: Counts, theirs: Counts) -> tuple[Counts, Counts]:
    """Differences of the shares up to each edge ``[k - 1]``, and their covariance."""
    n, m = float(ours.sum()), float(theirs.sum())
    moved = np.cumsum(ours / n - theirs / m)[:-1]
    p, q = shares(ours, theirs)
    covariance = _bridge(p) / max(n - 1, 1) + _bridge(q) / max(m - 1, 1)
    return moved, covariance


def _multinomial(share: Counts) -> Counts:
    return np.diag(share) - np.outer(share, share)


def _bridge(share: Counts) -> Counts:
    """The covariance of one row's steps up to the edges."""
    up_to = np.minimum(np.cumsum(share)[:-1], 1.0)
    found: Counts = np.minimum.outer(up_to, up_to) - np.outer(up_to, up_to)
    return found

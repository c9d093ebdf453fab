"""Bins for a picture: of about equally many rows, or with round edges about zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Widths that read well, but for a power of ten."""


def equal_counts(values: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    """[n] the bin of each value: at most so many bins, none empty, equal values together.

    >>> equal_counts(np.array([0.1, 0.9, 0.3, 0.5, 0.1, 0.2]), 3).tolist()
    [0, 2, 1, 2, 0, 1]
    """
    ordered = np.sort(values)
    starts = np.arange(1, bins) * len(values) // bins
    place = np.searchsorted(np.unique(ordered[starts]), values, side="right")
    return np.unique(place, return_inverse=True)[1].reshape(-1)


def round_edges(reach: float, most: int) -> tuple[float, ...]:
    """At most ``most`` (even) bins of one round width, symmetric about zero, as far as ``reach``.

    ``reach`` is finite. Without any, one bin lies on either side of zero, 1 wide.

    >>> round_edges(3.2, 8)
    (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
    """
    least = 2 * reach / most
    if not least > 0:
        return (-1.0, 0.0, 1.0)
    power = 10.0 ** math.floor(math.log10(least))
    if not power > 0:  # so near to nothing that it cannot be divided further
        return (-1.0, 0.0, 1.0)
    width = next(each * power for each in ROUND if each * power >= least * (1 - 1e-9))
    half = max(math.ceil(reach / width - 1e-9), 1)
    return tuple(float(f"{place * width:.12g}") for place in range(-half, half + 1))

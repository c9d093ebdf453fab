"""How sure are we of a divergence? Its value, its bounds, and the shares that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.float64]

SMOOTHING = 0.5
"""Added to every count, so that no bin is impossible (Krichevsky and Trofimov, 1981)."""

BEYOND = 0.05
"""An upper bound is wrong with this probability, whatever the number of columns."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A divergence, corrected for its bias, with its one-sided bounds; low <= value <= high."""

    value: float
    low: float
    high: float


NOTHING = Estimate(0.0, 0.0, 0.0)
"""What is between two distributions that cannot differ: of a single bin, or of the same rows."""


def shares(current: Counts, reference: Counts) -> tuple[Counts, Counts]:
    """The smoothed shares of the bins ``[k]``, now and before; each sums to 1.

    >>> import numpy as np
    >>> [part.tolist() for part in shares(np.array([0.0, 3.0]), np.array([1.5, 1.5]))]
    [[0.125, 0.875], [0.5, 0.5]]
    """
    ours, theirs = current + SMOOTHING, reference + SMOOTHING
    return ours / ours.sum(), theirs / theirs.sum()

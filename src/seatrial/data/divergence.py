"""By which measures can two distributions differ?

A drift measure is one entry of ``MEASURES`` and one function from counts to an
:class:`~seatrial.data.interval.Estimate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data import interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from seatrial.data.interval import Estimate

    Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counted:
    """One column on the same bins twice: counts ``[k]`` of now and of the reference.

    ``edges`` ``[k - 1]`` are the inner edges of numbers, None for texts. ``missing`` are the rows
    without a value, now and in the reference. ``deviation`` is the reference's, of numbers.
    """

    current: Counts
    reference: Counts
    edges: Counts | None = None
    missing: tuple[int, int] = (0, 0)
    deviation: float | None = None


@dataclass(frozen=True, slots=True)
class Divergence:
    """A measure: its word, its unit, the usual threshold, and how it is estimated.

    ``estimate(counted, threshold, alpha)`` gives the value with a lower bound that is wrong with
    probability ``alpha`` and an upper one that is wrong with probability 0.05, at most; it merges
    bins where the rows are few for the threshold. ``numbers_only``: needs an order of the bins.
    ``approximate``: computed from bins where the definition asks for every value.
    """

    word: str
    unit: str
    threshold: float
    estimate: Callable[[Counted, float, float], Estimate]
    numbers_only: bool = False
    approximate: bool = False


MEASURES: Mapping[str, Divergence] = {
    "kl": Divergence("kl", "nats", 0.1, interval.kl_of),
}
"""Every word that ``measure`` may be."""

"""By which measures can two distributions differ?

A drift measure is one entry of ``MEASURES`` and one function from counts to an
:class:`~seatrial.data.drift.interval.Estimate`. A smooth function of the shares needs only its
derivatives (``measures/formulas.py``), a norm of the difference its noise (``measures/norms.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from seatrial.data.drift.interval import BEYOND
from seatrial.data.drift.measures import formulas, norms
from seatrial.data.drift.measures.smooth import Smooth

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from seatrial.data.drift.interval import Estimate

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

    @property
    def rows(self) -> tuple[float, float]:
        """How many rows there are now, and in the reference, those without a value included."""
        now, before = self.missing
        return float(self.current.sum()) + now, float(self.reference.sum()) + before

    @property
    def same(self) -> bool:
        """Whether both counted the same rows, as far as the counts can tell."""
        return self.missing[0] == self.missing[1] and bool((self.current == self.reference).all())


class Estimator(Protocol):
    """Gives the value and its bounds, on bins few enough for the rows and the threshold.

    The lower bound is wrong with probability ``alpha``, the upper one with ``beyond``, about:
    ``docs/explanation/drift_statistics.md`` has the figures. Raises ValueError when there is no
    row on one of the sides.
    """

    def __call__(
        self, counted: Counted, threshold: float, alpha: float, beyond: float = BEYOND
    ) -> Estimate:
        """The value and its bounds."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """A measure: its word, its unit (empty: a pure number), the usual threshold, its estimator.

    ``numbers_only``: needs an order of the bins, so numbers and times. ``approximate``: computed
    from bins where the definition asks for every value. ``squared``: grows with the square of a
    small move, so its noise does not shrink like 1 / sqrt(n) but its root's does.
    """

    word: str
    unit: str
    threshold: float
    estimate: Estimator
    numbers_only: bool = False
    approximate: bool = False
    squared: bool = False


# The thresholds of kl, psi, jensen_shannon and wasserstein are those of evidently 0.7. The others
# have no convention: chi_square is twice kl where both are small, the rest is one row in ten.
MEASURES: Mapping[str, Divergence] = {
    each.word: each
    for each in (
        Divergence("kl", "nats", 0.1, Smooth(formulas.kl, 1), squared=True),
        Divergence("psi", "nats", 0.1, Smooth(formulas.psi, 2), squared=True),
        Divergence(
            "jensen_shannon",
            "",
            0.1,
            Smooth(formulas.jensen_shannon, 0.25, root=True, largest=math.log(2)),
        ),
        Divergence("total_variation", "", 0.1, norms.total_variation),
        Divergence(
            "chi_square",
            "",
            0.2,
            Smooth(formulas.chi_square, 2, expected=30, wary=True),
            squared=True,
        ),
        Divergence(
            "kolmogorov_smirnov",
            "",
            0.1,
            norms.kolmogorov_smirnov,
            numbers_only=True,
            approximate=True,
        ),
        Divergence(
            "wasserstein",
            "deviations",
            0.1,
            norms.wasserstein,
            numbers_only=True,
            approximate=True,
        ),
    )
}
"""Every word that ``measure`` may be."""

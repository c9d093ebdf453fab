"""Share of the rows that are positive, or called so, that are both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.metrics import Metric
from seatrial.metrics._labels import no_positive, share, through

if TYPE_CHECKING:
    import numpy as np


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...] of the second class; 0 when it neither occurs nor is called.

    >>> import numpy as np
    >>> float(of_confusion(np.array([[5, 1], [2, 3]])))
    0.5
    """
    hit = counts[..., 1, 1]
    return share(hit, counts[..., 1].sum(axis=-1) + counts[..., 1, :].sum(axis=-1) - hit)


def trials(counts: np.ndarray) -> tuple[float, float]:
    """Rows that are positive and called so, of those that are either."""
    hit = float(counts[1, 1])
    return hit, float(counts[:, 1].sum()) + float(counts[1].sum()) - hit


Jaccard = Metric(
    name="jaccard",
    problem="classes",
    value=through(of_confusion, binary_only=True),
    method="confusion",
    binary_only=True,
    of_confusion=of_confusion,
    trials=trials,
    undefined=no_positive,
    least=0.0,
    most=1.0,
)

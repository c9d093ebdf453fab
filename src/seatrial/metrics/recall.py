"""Share of the positive rows that are found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.metrics import Metric
from seatrial.metrics._labels import no_positive, share, through

if TYPE_CHECKING:
    import numpy as np


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...] recall of the second class; 0 when no row has it.

    >>> import numpy as np
    >>> float(of_confusion(np.array([[5, 1], [2, 3]])))
    0.6
    """
    return share(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1))


def trials(counts: np.ndarray) -> tuple[float, float]:
    """Positive rows that are found, of all positive rows."""
    return float(counts[1, 1]), float(counts[1].sum())


Recall = Metric(
    name="recall",
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

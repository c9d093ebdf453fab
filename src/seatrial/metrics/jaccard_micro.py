"""Jaccard index over the rows of all classes at once."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import share, through


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...]: right rows, of those and twice the wrong ones.

    >>> float(of_confusion(np.array([[5, 1], [2, 2]])))
    0.5384615384615384
    """
    hit = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
    return share(hit, 2 * counts.sum(axis=(-2, -1)) - hit)


def trials(counts: np.ndarray) -> tuple[float, float]:
    """Right rows, of all."""
    return float(np.trace(counts)), float(counts.sum())


def of_rate(accuracy: float) -> float:
    """Every wrong row is missed by one class and called so by another: a / (2 - a).

    >>> of_rate(1.0), of_rate(0.0)
    (1.0, 0.0)
    """
    return accuracy / (2 - accuracy)


JaccardMicro = Metric(
    name="jaccard_micro",
    problem="classes",
    value=through(of_confusion, binary_only=False),
    method="confusion",
    of_confusion=of_confusion,
    trials=trials,
    of_rate=of_rate,
    least=0.0,
    most=1.0,
)

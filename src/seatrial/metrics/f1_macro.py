"""Mean of the F1 of every class that occurs or is called."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import share, through


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...] mean F1.

    >>> round(float(of_confusion(np.array([[5, 1], [2, 3]]))), 4)
    0.7179
    """
    both = counts.sum(axis=-1) + counts.sum(axis=-2)
    each = share(2 * np.diagonal(counts, axis1=-2, axis2=-1), both)
    return share(each.sum(axis=-1), (both > 0).sum(axis=-1))


F1Macro = Metric(
    name="f1_macro",
    problem="classes",
    value=through(of_confusion, binary_only=False),
    method="confusion",
    of_confusion=of_confusion,
    least=0.0,
    most=1.0,
)

"""Mean over the classes that occur of the share of each that is found."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import share, through


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...] mean recall.

    >>> float(of_confusion(np.array([[8, 2], [0, 4]])))
    0.9
    """
    rows = counts.sum(axis=-1)
    recall = share(np.diagonal(counts, axis1=-2, axis2=-1), rows)
    return share(recall.sum(axis=-1), (rows > 0).sum(axis=-1))


BalancedAccuracy = Metric(
    name="balanced_accuracy",
    problem="classes",
    value=through(of_confusion, binary_only=False),
    method="confusion",
    of_confusion=of_confusion,
    least=0.0,
    most=1.0,
)

"""Probability that a positive row is scored above a negative one; ties count half."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import positive, score, single_class


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Area under the ROC curve; 0.5 when a class is missing and there is nothing to rank."""
    positives, negatives = placements(y, predictions)
    return float(np.mean(positives)) if len(positives) and len(negatives) else 0.5


def placements(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """For each positive row the share of negatives below it; for each negative that of those above.

    Equal scores count half. By counts at each distinct score, so that one sort is enough: Sun and
    Xu (2014), "Fast implementation of DeLong's algorithm", IEEE Signal Processing Letters 21, get
    the same from three.

    >>> p = np.array([0.1, 0.4, 0.35, 0.8])
    >>> answers = Predictions(p > 0.5, np.column_stack([1 - p, p]), (False, True))
    >>> [part.tolist() for part in placements(np.array([False, False, True, True]), answers)]
    [[0.5, 1.0], [1.0, 0.5]]
    """
    is_positive = positive(y, predictions)
    known, place = np.unique(score(predictions), return_inverse=True)
    high, low = place[is_positive], place[~is_positive]
    won, lost = (np.bincount(each, minlength=len(known)) for each in (high, low))
    below = (np.cumsum(lost) - lost / 2) / max(len(low), 1)
    above = (len(high) - np.cumsum(won) + won / 2) / max(len(high), 1)
    return below[high], above[low]


RocAuc = Metric(
    name="roc_auc",
    problem="classes",
    value=value,
    method="ranks",
    binary_only=True,
    placements=placements,
    undefined=single_class,
    least=0.0,
    most=1.0,
)

"""Probability that a positive row is scored above a negative one; ties count half."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import positive, score


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Area under the ROC curve; 0.5 when a class is missing and there is nothing to rank."""
    positives, negatives = placements(y, predictions)
    return float(np.mean(positives)) if len(positives) and len(negatives) else 0.5


def placements(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """For each positive row the share of negatives below it; for each negative that of those above.

    Source: Sun and Xu (2014), "Fast implementation of DeLong's algorithm", by mid-ranks.

    >>> p = np.array([0.1, 0.4, 0.35, 0.8])
    >>> answers = Predictions(p > 0.5, np.column_stack([1 - p, p]), (False, True))
    >>> [part.tolist() for part in placements(np.array([False, False, True, True]), answers)]
    [[0.5, 1.0], [1.0, 0.5]]
    """
    is_positive, scores = positive(y, predictions), score(predictions)
    above, below = scores[is_positive], scores[~is_positive]
    joint = midranks(scores)
    beaten = (joint[is_positive] - midranks(above)) / max(len(below), 1)
    lost = 1 - (joint[~is_positive] - midranks(below)) / max(len(above), 1)
    return beaten, lost


def midranks(numbers: np.ndarray) -> np.ndarray:
    """[n] ranks from 1; equal numbers share the mean of theirs.

    >>> midranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, count = np.unique(numbers, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2)[place])


RocAuc = Metric(
    name="roc_auc",
    problem="classes",
    value=value,
    method="ranks",
    binary_only=True,
    placements=placements,
    least=0.0,
    most=1.0,
)

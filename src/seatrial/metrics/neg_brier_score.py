"""Minus the mean squared distance of the probabilities from the truth; halved with two classes."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import squared_distance


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] minus each row's squared distance."""
    distance = squared_distance(y, predictions)
    return np.asarray(-distance / 2 if len(predictions.classes) == 2 else -distance)


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegBrierScore = Metric(
    name="neg_brier_score",
    problem="classes",
    value=value,
    method="mean",
    per_row=per_row,
    least=-2.0,
    most=0.0,
)

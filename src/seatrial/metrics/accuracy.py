"""Share of rows whose class is right."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions


def right(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] 1 where the answer is the truth, else 0."""
    return np.asarray(y == predictions.label, dtype=np.int8)


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`right`."""
    return float(np.mean(right(y, predictions)))


Accuracy = Metric(
    name="accuracy",
    problem="classes",
    value=value,
    method="count",
    per_row=right,
    least=0.0,
    most=1.0,
)

"""Minus the mean squared error."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] minus each row's squared error."""
    return np.asarray(-((np.asarray(y, dtype=np.float64) - predictions.label) ** 2))


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegMeanSquaredError = Metric(
    name="neg_mean_squared_error",
    problem="numbers",
    value=value,
    method="mean",
    per_row=per_row,
    most=0.0,
)

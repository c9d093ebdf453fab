"""Minus the root of the mean squared error, in units of the target."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Minus the root of the mean squared error."""
    return -float(np.sqrt(np.mean(_squares(y, predictions))))


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order: the root's slope at the mean."""
    squares = _squares(y, predictions)
    root = float(np.sqrt(np.mean(squares)))
    if not root:
        return np.zeros(len(squares))
    return np.asarray(-root - (squares - root**2) / (2 * root))


def _squares(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    return np.asarray((np.asarray(y, dtype=np.float64) - predictions.label) ** 2)


NegRootMeanSquaredError = Metric(
    name="neg_root_mean_squared_error",
    problem="numbers",
    value=value,
    method="mean",
    influence=influence,
    most=0.0,
)

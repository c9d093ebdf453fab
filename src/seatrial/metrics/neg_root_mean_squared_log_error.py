"""Minus the root of the mean squared difference of the logs of one more than truth and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._positive import below_minus_one, log_difference

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Minus the root."""
    return -float(np.sqrt(np.mean(log_difference(y, predictions) ** 2)))


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order: the root's slope at the mean."""
    squares = log_difference(y, predictions) ** 2
    root = float(np.sqrt(np.mean(squares)))
    if not root:
        return np.zeros(len(squares))
    return np.asarray(-root - (squares - root**2) / (2 * root))


NegRootMeanSquaredLogError = Metric(
    name="neg_root_mean_squared_log_error",
    problem="numbers",
    value=value,
    method="mean",
    influence=influence,
    undefined=below_minus_one,
    most=0.0,
)

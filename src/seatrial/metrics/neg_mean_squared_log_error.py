"""Minus the mean squared difference of the logs of one more than truth and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._positive import below_minus_one, log_difference

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] minus each row's squared difference."""
    return -(log_difference(y, predictions) ** 2)


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegMeanSquaredLogError = Metric(
    name="neg_mean_squared_log_error",
    problem="numbers",
    value=value,
    method="mean",
    per_row=per_row,
    undefined=below_minus_one,
    most=0.0,
)

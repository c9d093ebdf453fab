"""Mean log of the probability given to the true class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import log_of_truth

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean over the rows."""
    return float(np.mean(log_of_truth(y, predictions)))


NegLogLoss = Metric(
    name="neg_log_loss",
    problem="classes",
    value=value,
    method="mean",
    per_row=log_of_truth,
    most=0.0,
)

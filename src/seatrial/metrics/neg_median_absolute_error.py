"""Minus the median absolute error, in units of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Minus the median absolute error."""
    return -float(np.median(np.abs(np.asarray(y, dtype=np.float64) - predictions.label)))


NegMedianAbsoluteError = Metric(
    name="neg_median_absolute_error", problem="numbers", value=value, most=0.0
)

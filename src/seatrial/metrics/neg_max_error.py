"""Minus the greatest absolute error, in units of the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Minus the greatest absolute error."""
    return -float(np.max(np.abs(np.asarray(y, dtype=np.float64) - predictions.label)))


NegMaxError = Metric(name="neg_max_error", problem="numbers", value=value, most=0.0)

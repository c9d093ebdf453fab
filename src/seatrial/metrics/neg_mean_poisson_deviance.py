"""Minus the mean deviance of counts: 2 (y log(y / p) - y + p)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._positive import no_count

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] minus each row's deviance; a truth of 0 costs 2 p."""
    truth, answer = np.asarray(y, dtype=np.float64), predictions.label.astype(np.float64)
    ratio = np.where(truth > 0, truth, 1) / answer
    return np.asarray(-2 * (np.where(truth > 0, truth * np.log(ratio), 0.0) - truth + answer))


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegMeanPoissonDeviance = Metric(
    name="neg_mean_poisson_deviance",
    problem="numbers",
    value=value,
    method="mean",
    per_row=per_row,
    undefined=no_count,
    most=0.0,
)

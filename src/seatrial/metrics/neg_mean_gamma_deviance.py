"""Minus the mean deviance of positive numbers: 2 (log(p / y) + y / p - 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._positive import not_positive

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] minus each row's deviance."""
    truth, answer = np.asarray(y, dtype=np.float64), predictions.label.astype(np.float64)
    return np.asarray(-2 * (np.log(answer / truth) + truth / answer - 1))


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegMeanGammaDeviance = Metric(
    name="neg_mean_gamma_deviance",
    problem="numbers",
    value=value,
    method="mean",
    per_row=per_row,
    undefined=not_positive,
    most=0.0,
)

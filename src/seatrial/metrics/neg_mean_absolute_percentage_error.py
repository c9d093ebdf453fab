"""Minus the mean absolute error as a share of the truth (0.1 is ten percent)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] minus each row's share; a truth of 0 counts as scikit-learn has it."""
    truth = np.asarray(y, dtype=np.float64)
    smallest = np.finfo(np.float64).eps
    return np.asarray(-np.abs(truth - predictions.label) / np.maximum(np.abs(truth), smallest))


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegMeanAbsolutePercentageError = Metric(
    name="neg_mean_absolute_percentage_error",
    problem="numbers",
    value=value,
    method="mean",
    per_row=per_row,
    most=0.0,
)

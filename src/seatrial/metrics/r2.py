"""Share of the target's variance that the model explains."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions


def value(y: np.ndarray, predictions: Predictions) -> float:
    """1 - (squared errors) / (squared distances from the mean); may be negative.

    A target that never varies gives 1 for a perfect model and else 0.
    """
    wrong, spread = _squares(y, predictions)
    if not spread.any():
        return 0.0 if wrong.any() else 1.0
    return float(1 - wrong.sum() / spread.sum())


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order.

    The denominator is estimated from the same rows and has its part in the uncertainty: with
    R = 1 - r2, a row of squared error e and squared distance d adds -(e - R d) / mean(d).
    """
    wrong, spread = _squares(y, predictions)
    r2 = value(y, predictions)
    if not spread.any():
        return np.full(len(wrong), r2)
    return np.asarray(r2 - (wrong - (1 - r2) * spread) / spread.mean())


def ratio(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """Squared errors, and squared distances from the mean with the variance's n / (n - 1): [n]."""
    wrong, spread = _squares(y, predictions)
    return wrong, spread * (len(spread) / max(len(spread) - 1, 1))


def undefined(y: np.ndarray, predictions: Predictions) -> str:
    """Why nothing can be explained; empty when the target varies."""
    varies = _squares(y, predictions)[1].any()
    return "" if varies else "the target never varies on these rows"


def _squares(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    truth = np.asarray(y, dtype=np.float64)
    return (truth - predictions.label) ** 2, (truth - truth.mean()) ** 2


R2 = Metric(
    name="r2",
    problem="numbers",
    value=value,
    method="mean",
    influence=influence,
    ratio=ratio,
    undefined=undefined,
    most=1.0,
)

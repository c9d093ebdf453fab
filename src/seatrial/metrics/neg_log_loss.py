"""Mean log of the probability given to the true class."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import codes, probabilities


def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] log of the true class's probability, held off 0 and 1 by its own type's precision.

    A truth outside ``classes`` has probability 0, that is, the greatest loss.
    """
    given = probabilities(predictions)
    step = np.finfo(given.dtype).eps
    place = codes(y, predictions.classes)
    known = np.minimum(place, len(predictions.classes) - 1)
    chosen = np.where(place == known, given[np.arange(len(given)), known], 0)
    return np.asarray(np.log(np.clip(chosen, step, 1 - step), dtype=np.float64))


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`per_row`."""
    return float(np.mean(per_row(y, predictions)))


NegLogLoss = Metric(
    name="neg_log_loss",
    problem="classes",
    value=value,
    method="mean",
    per_row=per_row,
    most=0.0,
)

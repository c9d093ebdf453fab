"""Minus the mean loss of a quantile: ``neg_mean_pinball_loss@0.9``; the level is 0.5.

Koenker and Bassett (1978), "Regression quantiles", Econometrica 46.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric

if TYPE_CHECKING:
    from seatrial.metrics import Predictions

USUAL = 0.5


def at(level: float) -> Metric:
    """The metric of the quantile at ``level``; ValueError says what it may be.

    >>> from seatrial.metrics import Predictions
    >>> at(0.9).value(np.array([10.0]), Predictions(np.array([8.0])))
    -1.8
    """
    if not 0 < level < 1:
        raise ValueError("a level between 0 and 1, such as 0.9")

    def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
        """[n] minus ``level`` times what the answer is too low, or the rest times too high."""
        short = np.asarray(y, dtype=np.float64) - predictions.label
        return np.asarray(-np.maximum(level * short, (level - 1) * short))

    return Metric(
        name="neg_mean_pinball_loss" if level == USUAL else f"neg_mean_pinball_loss@{level:g}",
        problem="numbers",
        value=lambda y, predictions: float(np.mean(per_row(y, predictions))),
        method="mean",
        per_row=per_row,
        most=0.0,
        at=at,
    )


NegMeanPinballLoss = at(USUAL)

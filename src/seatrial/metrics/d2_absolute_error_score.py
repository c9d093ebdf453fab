"""Share of the absolute distances from the median that the model explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics._explained import explained

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def losses(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """[n] absolute errors, and absolute distances from the median."""
    truth = np.asarray(y, dtype=np.float64)
    return np.abs(truth - predictions.label), np.abs(truth - np.median(truth))


D2AbsoluteErrorScore = explained(
    "d2_absolute_error_score", "numbers", losses, "the target never varies on these rows"
)

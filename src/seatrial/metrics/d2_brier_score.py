"""Share of the Brier score of knowing only how frequent each class is that the model explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics._explained import explained
from seatrial.metrics._labels import codes, squared_distance

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def losses(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """[n] squared distances of the probabilities, and of the frequencies, from the truth."""
    place = codes(y, predictions.classes)
    frequency = np.bincount(place, minlength=len(predictions.classes) + 1) / len(place)
    known = float(np.sum(frequency**2)) + 1 - 2 * frequency[place]
    return squared_distance(y, predictions), known


D2BrierScore = explained("d2_brier_score", "classes", losses, "every row is of the same class")

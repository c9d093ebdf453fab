"""Share of the log loss of knowing only how frequent each class is that the model explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics._explained import explained
from seatrial.metrics._labels import codes, log_of_truth

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def losses(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """[n] minus the log of the probability, and of the frequency, of the true class."""
    place = codes(y, predictions.classes)
    frequency = np.bincount(place) / len(place)
    return -log_of_truth(y, predictions), -np.log(frequency[place])


D2LogLossScore = explained("d2_log_loss_score", "classes", losses, "every row is of the same class")

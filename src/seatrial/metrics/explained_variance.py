"""Share of the target's variance that is left out of the errors, whatever their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics._explained import explained

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def losses(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """[n] squared distances of the errors from their mean, and of the target from its own."""
    truth = np.asarray(y, dtype=np.float64)
    errors = truth - predictions.label
    return (errors - errors.mean()) ** 2, (truth - truth.mean()) ** 2


ExplainedVariance = explained(
    "explained_variance", "numbers", losses, "the target never varies on these rows"
)

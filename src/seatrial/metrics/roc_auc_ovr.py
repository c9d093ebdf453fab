"""Mean over the classes of the area under the ROC curve of each against the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._areas import absent, one_against_rest

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order."""
    return one_against_rest(y, predictions, weighted=False)


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`influence`; of two classes the same as ``roc_auc``."""
    return float(np.clip(np.mean(influence(y, predictions)), 0, 1))


RocAucOvr = Metric(
    name="roc_auc_ovr",
    problem="classes",
    value=value,
    method="mean",
    influence=influence,
    undefined=absent,
    least=0.0,
    most=1.0,
)

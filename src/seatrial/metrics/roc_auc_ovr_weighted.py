"""The same areas as ``roc_auc_ovr``, each class weighing as many rows as have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._areas import absent, one_against_rest

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order."""
    return one_against_rest(y, predictions, weighted=True)


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`influence`; of two classes the same as ``roc_auc``."""
    return float(np.clip(np.mean(influence(y, predictions)), 0, 1))


RocAucOvrWeighted = Metric(
    name="roc_auc_ovr_weighted",
    problem="classes",
    value=value,
    method="mean",
    influence=influence,
    undefined=absent,
    least=0.0,
    most=1.0,
)

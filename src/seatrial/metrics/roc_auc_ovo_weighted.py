"""The same pairs as ``roc_auc_ovo``, each weighing as many rows as have either class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._areas import absent, one_against_one

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order."""
    return one_against_one(y, predictions, weighted=True)


def value(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`influence`; of two classes the same as ``roc_auc``."""
    return float(np.clip(np.mean(influence(y, predictions)), 0, 1))


RocAucOvoWeighted = Metric(
    name="roc_auc_ovo_weighted",
    problem="classes",
    value=value,
    method="mean",
    influence=influence,
    undefined=absent,
    least=0.0,
    most=1.0,
)

"""How much likelier a positive row is called positive than a negative one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import confusion, no_positive, share, single_class, through

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...]; infinite where nothing divides.

    >>> round(float(of_confusion(np.array([[5, 1], [2, 3]]))), 4)
    3.6
    """
    found = share(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1))
    false_alarms = share(counts[..., 0, 1], counts[..., 0, :].sum(axis=-1))
    return share_of(found, false_alarms)


def share_of(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, infinite where the whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.inf), where=whole > 0))


def undefined(y: np.ndarray, predictions: Predictions) -> str:
    """Why there is no such ratio; empty when there is."""
    why = no_positive(y, predictions) or single_class(y, predictions)
    if why:
        return why
    value = of_confusion(confusion(y, predictions))
    return "" if np.isfinite(value) else "no negative row is called positive: it has no end"


PositiveLikelihoodRatio = Metric(
    name="positive_likelihood_ratio",
    problem="classes",
    value=through(of_confusion, binary_only=True),
    method="confusion",
    binary_only=True,
    of_confusion=of_confusion,
    undefined=undefined,
    least=0.0,
)

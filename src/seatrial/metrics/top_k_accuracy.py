"""Share of rows whose class is among the k most probable ones: ``top_k_accuracy@3``; k is 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import codes, probabilities

if TYPE_CHECKING:
    from seatrial.metrics import Predictions

USUAL = 2


def at(k: float) -> Metric:
    """The metric of the k most probable classes; ValueError says what k may be."""
    if k != int(k) or k < 1:
        raise ValueError("a whole number of classes, such as 3")
    most = int(k)

    def per_row(y: np.ndarray, predictions: Predictions) -> np.ndarray:
        """[n] 1 where fewer than k classes are more probable than the true one.

        Of equally probable classes the later one comes first, as scikit-learn has it.
        """
        given = probabilities(predictions)
        place = codes(y, predictions.classes)
        known = np.minimum(place, given.shape[1] - 1)
        mine = given[np.arange(len(given)), known][:, None]
        later = np.arange(given.shape[1]) > known[:, None]
        before = (given > mine) | ((given == mine) & later)
        return np.asarray((before.sum(axis=1) < most) & (place == known), dtype=np.int8)

    def undefined(_y: np.ndarray, predictions: Predictions) -> str:
        if len(predictions.classes) > most:
            return ""
        return f"of {len(predictions.classes)} classes the true one is always among {most}"

    return Metric(
        name="top_k_accuracy" if most == USUAL else f"top_k_accuracy@{most}",
        problem="classes",
        value=lambda y, predictions: float(np.mean(per_row(y, predictions))),
        method="count",
        per_row=per_row,
        undefined=undefined,
        least=0.0,
        most=1.0,
        at=at,
    )


TopKAccuracy = at(USUAL)

"""One less a ratio of two losses on the same rows: a model's, and that of knowing no feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Predictions, Problem

    Losses = Callable[[np.ndarray, Predictions], tuple[np.ndarray, np.ndarray]]


def explained(name: str, problem: Problem, losses: Losses, constant: str) -> Metric:
    """The metric of two losses a row, ``losses`` ([n] each).

    ``constant`` is said where the second is nothing at all.
    """

    def value(y: np.ndarray, predictions: Predictions) -> float:
        mine, known = losses(y, predictions)
        if not known.any():
            return 0.0 if mine.any() else 1.0
        return float(1 - mine.sum() / known.sum())

    def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
        mine, known = losses(y, predictions)
        explains = value(y, predictions)
        if not known.any():
            return np.full(len(mine), explains)
        return np.asarray(explains - (mine - (1 - explains) * known) / known.mean())

    def undefined(y: np.ndarray, predictions: Predictions) -> str:
        return "" if losses(y, predictions)[1].any() else constant

    return Metric(
        name=name,
        problem=problem,
        value=value,
        method="mean",
        influence=influence,
        ratio=losses,
        undefined=undefined,
        most=1.0,
    )

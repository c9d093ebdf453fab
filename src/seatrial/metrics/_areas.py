"""Areas under the ROC curves of more than two classes, and what each row does to them.

Hand and Till (2001), "A simple generalisation of the area under the ROC curve for multiple class
classification problems", Machine Learning 45, for pairs; one class against the rest otherwise.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Protocol

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import codes, probabilities

if TYPE_CHECKING:
    from seatrial.metrics import Predictions


def mean_area(name: str, areas: Areas, *, weighted: bool) -> Metric:
    """The metric that is the mean of such areas; of two classes it is ``roc_auc``."""

    def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
        return areas(y, predictions, weighted=weighted)

    def value(y: np.ndarray, predictions: Predictions) -> float:
        return float(np.clip(np.mean(influence(y, predictions)), 0, 1))

    return Metric(
        name=name,
        problem="classes",
        value=value,
        method="mean",
        influence=influence,
        undefined=absent,
        least=0.0,
        most=1.0,
    )


def one_against_rest(y: np.ndarray, predictions: Predictions, *, weighted: bool) -> np.ndarray:
    """[n] rows whose mean is the mean area of the classes: the value plus each row's influence.

    ``weighted``: each class counts by how many rows have it, which is as uncertain as the areas.
    """
    given, place = probabilities(predictions).astype(np.float64), codes(y, predictions.classes)
    # of two classes either one says the same
    each_one = range(1 if len(predictions.classes) == 2 else 0, len(predictions.classes))
    parts = [(place == each, np.ones(len(y), bool), given[:, each]) for each in each_one]
    return _mean(parts, weighted=weighted)


def one_against_one(y: np.ndarray, predictions: Predictions, *, weighted: bool) -> np.ndarray:
    """[n] likewise, over all pairs of classes, each pair judged by both of their scores."""
    given, place = probabilities(predictions).astype(np.float64), codes(y, predictions.classes)
    parts = []
    for one, other in combinations(range(len(predictions.classes)), 2):
        among = (place == one) | (place == other)
        parts += [(place == one, among, given[:, one]), (place == other, among, given[:, other])]
    return _mean(parts, weighted=weighted, by_rows=True)


def absent(y: np.ndarray, predictions: Predictions) -> str:
    """Which class has no row, so that nothing can be ranked; empty when every class has."""
    place = codes(y, predictions.classes)
    there = np.bincount(place, minlength=len(predictions.classes) + 1)
    missing = [
        str(each) for each, rows in zip(predictions.classes, there, strict=False) if not rows
    ]
    return f"no row is of the class {missing[0]!r}" if missing else ""


class Areas(Protocol):
    """[n] rows whose mean is a mean of areas."""

    def __call__(self, y: np.ndarray, predictions: Predictions, *, weighted: bool) -> np.ndarray:
        """The value plus what each row does to it, to first order."""


Part = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of [n] rows: which are positive, which count at all, and the score."""


def _mean(parts: list[Part], *, weighted: bool, by_rows: bool = False) -> np.ndarray:
    areas, moved, weights, shown = [], [], [], []
    for positive, among, score in parts:
        area, rows = _area(positive, among, score)
        areas.append(area)
        moved.append(rows)
        share = (among if by_rows else positive).astype(np.float64)
        weights.append(share.mean())
        shown.append(share - share.mean())
    if not weighted:
        return np.asarray(np.mean(areas) + np.mean(moved, axis=0))
    whole = float(np.sum(weights))
    value = float(np.dot(weights, areas)) / whole
    total = np.zeros(len(moved[0]))
    for area, rows, weight, share in zip(areas, moved, weights, shown, strict=True):
        total += (weight * rows + share * (area - value)) / whole
    return np.asarray(value + total)


def _area(positive: np.ndarray, among: np.ndarray, score: np.ndarray) -> tuple[float, np.ndarray]:
    """The area, and [n] what each row does to it."""
    mine = positive & among
    theirs = among & ~positive
    known, place = np.unique(score, return_inverse=True)
    won, lost = (np.bincount(place[side], minlength=len(known)) for side in (mine, theirs))
    below = (np.cumsum(lost) - lost / 2) / max(int(theirs.sum()), 1)
    above = (int(mine.sum()) - np.cumsum(won) + won / 2) / max(int(mine.sum()), 1)
    area = float(below[place[mine]].mean()) if mine.any() else 0.5
    rows = np.zeros(len(score))
    for side, shares in ((mine, below), (theirs, above)):
        if side.any():
            rows[side] = (shares[place[side]] - area) * (len(score) / side.sum())
    return area, rows

"""Mean, over the positive rows, of the precision when all rows scored as high are called so."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import positive, score


def value(y: np.ndarray, predictions: Predictions) -> float:
    """Average precision; 0 when no row is positive.

    >>> p = np.array([0.1, 0.4, 0.35, 0.8])
    >>> answers = Predictions(p > 0.5, np.column_stack([1 - p, p]), (False, True))
    >>> round(value(np.array([False, False, True, True]), answers), 4)
    0.8333
    """
    is_positive = positive(y, predictions)
    _, _, _, precision = _curve(is_positive, score(predictions))
    return float(precision[is_positive].mean()) if is_positive.any() else 0.0


def influence(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] the value plus what each row does to it, to first order.

    With P(s) the precision and G(s) the share of rows at a score of at least s, a row adds its
    own term to the mean, and moves P at every positive row whose score is not above its own by
    (1 if it is positive, else 0, minus P) / G.
    """
    is_positive = positive(y, predictions)
    n, positives = len(is_positive), int(is_positive.sum())
    if not positives:
        return np.zeros(n)
    scores, place, above, precision = _curve(is_positive, score(predictions))
    hits = np.bincount(place[is_positive], minlength=len(scores))
    at_score = np.zeros(len(scores))
    at_score[place] = precision
    pull = np.cumsum(hits / above)
    weight = np.cumsum(hits * at_score / above)
    average = precision[is_positive].mean()
    own = is_positive * (precision - average)
    moved = is_positive * pull[place] - weight[place]
    return np.asarray(average + (own + moved) * n / positives)


def _curve(
    is_positive: np.ndarray, score: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    # Distinct scores, each row's place among them, rows at least as high, precision of each row.
    scores, place = np.unique(score, return_inverse=True)
    above = np.cumsum(np.bincount(place, minlength=len(scores))[::-1])[::-1]
    hits = np.bincount(place, is_positive, minlength=len(scores))
    precision = np.cumsum(hits[::-1])[::-1] / above
    return scores, place, above, precision[place]


AveragePrecision = Metric(
    name="average_precision",
    problem="classes",
    value=value,
    method="mean",
    binary_only=True,
    influence=influence,
    least=0.0,
    most=1.0,
)

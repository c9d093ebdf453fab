"""Mean, over the positive rows, of the precision when all rows scored as high are called so."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import no_positive, positive, score


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
    """[n] the value plus what each row does to it: by leaving it out, exactly.

    Without a negative row every positive that is scored no higher has one row less above it;
    without a positive row it also has one positive less, and the row's own term is gone. What a
    row is worth is n - 1 times what its absence takes from the mean over all such absences: the
    jackknife, whose variance errs on the careful side (Efron and Stein 1981, "The jackknife
    estimate of variance", Annals of Statistics 9) where that to first order is too small.
    """
    is_positive = positive(y, predictions)
    n, positives = len(is_positive), int(is_positive.sum())
    if not positives:
        return np.zeros(n)
    scores, place, above, precision = _curve(is_positive, score(predictions))
    hits = np.bincount(place[is_positive], minlength=len(scores))
    at_score = np.zeros(len(scores))
    at_score[place] = precision
    found, fewer = at_score * above, np.maximum(above - 1, 1)
    total = hits @ at_score
    higher = total - np.cumsum(hits * at_score)
    without_negative = (higher + np.cumsum(hits * found / fewer)) / positives
    own = (found - 1) / fewer
    without_positive = (higher + np.cumsum(hits * own) - own) / max(positives - 1, 1)
    left = np.where(is_positive, without_positive[place], without_negative[place])
    return np.asarray(total / positives + (n - 1) * (left.mean() - left))


def optimism(y: np.ndarray, predictions: Predictions) -> float:
    """What the value gains because each positive row counts among the rows above itself.

    The precision that a positive row sees without itself is (T - 1) / (A - 1) in the place of
    T / A, with T positives among A rows at its score or above.
    """
    is_positive = positive(y, predictions)
    if not is_positive.any():
        return 0.0
    _, place, above, precision = _curve(is_positive, score(predictions))
    rows, seen = above[place[is_positive]], precision[is_positive]
    return float(np.mean((1 - seen) / np.maximum(rows - 1, 1)))


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
    optimism=optimism,
    undefined=no_positive,
    least=0.0,
    most=1.0,
)

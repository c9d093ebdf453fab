"""Labels as numbers: which class a row has, and how often which class is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import FileError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Predictions


FEW = 8
"""So many classes are found sooner by comparing with each than by searching."""


def confusion(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[k + 1, k + 1] counts of (truth, answer); the last of each is a label outside ``classes``.

    >>> from seatrial.metrics import Predictions
    >>> answers = Predictions(np.array(["a", "b", "b"]), None, ("a", "b"))
    >>> confusion(np.array(["a", "a", "b"]), answers).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    """
    size = len(predictions.classes) + 1
    cell = codes(y, predictions.classes) * size + codes(predictions.label, predictions.classes)
    return np.bincount(cell, minlength=size * size).reshape(size, size)


def codes(labels: np.ndarray, classes: tuple[object, ...]) -> np.ndarray:
    """[n] place of each label in ``classes`` (sorted), or their number when it is not among them.

    >>> codes(np.array(["b", "a", "z"]), ("a", "b")).tolist()
    [1, 0, 2]
    """
    known = np.asarray(classes)
    if len(known) <= FEW:
        place = np.full(len(labels), len(known), dtype=np.intp)
        for number, label in enumerate(known):
            place -= np.multiply(labels == label, len(known) - number, dtype=np.intp)
        return place
    at = np.searchsorted(known, labels)
    there = known[np.minimum(at, len(known) - 1)] == labels
    return np.where(there, at, len(known))


def positive(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] whether the row has the positive class, the second of the two."""
    demand_two(len(predictions.classes))
    return np.asarray(y == predictions.classes[1])


def score(predictions: Predictions) -> np.ndarray:
    """[n] probability of the positive class, as float64."""
    return probabilities(predictions)[:, 1].astype(np.float64)


def probabilities(predictions: Predictions) -> np.ndarray:
    """[n, k] probabilities of the classes; a model without them cannot have this metric."""
    if predictions.probabilities is None:
        message = "this metric needs the probabilities of the classes and the model gives none"
        raise FileError(Mistake(message, fix="choose accuracy, f1 or f1_macro"))
    return np.asarray(predictions.probabilities)


def right(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] 1 where the answer is the truth, else 0."""
    return np.asarray(y == predictions.label, dtype=np.int8)


def share_right(y: np.ndarray, predictions: Predictions) -> float:
    """The mean of :func:`right`."""
    return float(np.mean(right(y, predictions)))


def log_of_truth(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] log of the true class's probability, held off 0 and 1 by its own type's precision.

    A truth outside ``classes`` has probability 0, that is, the greatest loss.
    """
    given = probabilities(predictions)
    step = np.finfo(given.dtype).eps
    place = codes(y, predictions.classes)
    known = np.minimum(place, len(predictions.classes) - 1)
    chosen = np.where(place == known, given[np.arange(len(given)), known], 0)
    return np.asarray(np.log(np.clip(chosen, step, 1 - step), dtype=np.float64))


def squared_distance(y: np.ndarray, predictions: Predictions) -> np.ndarray:
    """[n] squared distance of the probabilities from the truth, summed over the classes."""
    given = probabilities(predictions).astype(np.float64)
    place = codes(y, predictions.classes)
    truth = place[:, None] == np.arange(given.shape[1])
    distance = np.asarray(np.sum((truth - given) ** 2, axis=1))
    if given.shape[1] == 2:  # the other column says the same again, but for its rounding
        distance = np.where(place < 2, 2 * (truth[:, 1] - given[:, 1]) ** 2, distance)
    return distance


def no_positive(y: np.ndarray, predictions: Predictions) -> str:
    """Why nothing can be said of the positive class; empty when a row has it."""
    there = positive(y, predictions).any()
    return "" if there else f"no row is of the class {str(predictions.classes[1])!r}"


def single_class(y: np.ndarray, _predictions: Predictions) -> str:
    """Why classes cannot be told apart; empty when the rows have two."""
    return "" if len(y) and (y != y[0]).any() else "every row is of the same class"


def demand_two(classes: int) -> None:
    """Refuse a target that has not exactly two classes."""
    if classes != 2:
        message = f"this metric needs a target with two classes and there are {classes}"
        raise FileError(Mistake(message, fix="choose accuracy, balanced_accuracy or f1_macro"))


def through(
    of_confusion: Callable[[np.ndarray], np.ndarray], *, binary_only: bool
) -> Callable[[np.ndarray, Predictions], float]:
    """The value of a metric that depends on the confusion counts alone."""

    def value(y: np.ndarray, predictions: Predictions) -> float:
        if binary_only:
            demand_two(len(predictions.classes))
        return float(of_confusion(confusion(y, predictions)))

    return value


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, and 0 where the whole is 0, as scikit-learn has it."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.asarray(np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0))

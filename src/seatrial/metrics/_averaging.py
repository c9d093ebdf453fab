"""Precision, recall, F1 and Jaccard of each class, and their averages over classes.

Of each class ``hit`` rows are rightly called so, ``called`` rows are called so, ``own`` rows have
it. Averages are over the classes that occur or are called, as scikit-learn has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import share, through

if TYPE_CHECKING:
    from collections.abc import Callable

    OfClass = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def averaged(name: str, of_confusion: Callable[[np.ndarray], np.ndarray]) -> Metric:
    """The metric of that name, by :func:`macro` or :func:`weighted`."""
    return Metric(
        name=name,
        problem="classes",
        value=through(of_confusion, binary_only=False),
        method="confusion",
        of_confusion=of_confusion,
        least=0.0,
        most=1.0,
    )


def precision(hit: np.ndarray, called: np.ndarray, _own: np.ndarray) -> np.ndarray:
    """Share of the rows called so that are; 0 when none is called so."""
    return share(hit, called)


def recall(hit: np.ndarray, _called: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Share of the rows that are so that are found; 0 when none is so."""
    return share(hit, own)


def f1(hit: np.ndarray, called: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Harmonic mean of the two."""
    return share(2 * hit, called + own)


def jaccard(hit: np.ndarray, called: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Share of the rows that are so, or called so, that are both."""
    return share(hit, called + own - hit)


def macro(of_class: OfClass) -> Callable[[np.ndarray], np.ndarray]:
    """The mean over the classes: [..., k, k] counts (truth, answer) -> [...].

    >>> counts = np.array([[5, 1], [2, 3]])
    >>> round(float(macro(recall)(counts)), 4)
    0.7167
    """

    def of_confusion(counts: np.ndarray) -> np.ndarray:
        hit, called, own = _of_classes(counts)
        there = (called + own) > 0
        return share((of_class(hit, called, own) * there).sum(axis=-1), there.sum(axis=-1))

    return of_confusion


def weighted(of_class: OfClass) -> Callable[[np.ndarray], np.ndarray]:
    """The mean over the classes, each weighing as many rows as have it.

    >>> counts = np.array([[5, 1], [2, 3]])
    >>> round(float(weighted(precision)(counts)), 4)
    0.7305
    """

    def of_confusion(counts: np.ndarray) -> np.ndarray:
        hit, called, own = _of_classes(counts)
        return share((of_class(hit, called, own) * own).sum(axis=-1), own.sum(axis=-1))

    return of_confusion


def _of_classes(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    hit = np.diagonal(counts, axis1=-2, axis2=-1)
    return hit, counts.sum(axis=-2), counts.sum(axis=-1)

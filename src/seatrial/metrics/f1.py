"""Harmonic mean of precision and recall of the positive class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.metrics import Metric
from seatrial.metrics._labels import no_positive, share, through

if TYPE_CHECKING:
    import numpy as np


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...] F1 of the second class; 0 when it neither occurs nor is called.

    >>> import numpy as np
    >>> round(float(of_confusion(np.array([[5, 1], [2, 3]]))), 4)
    0.6667
    """
    both = counts[..., 1].sum(axis=-1) + counts[..., 1, :].sum(axis=-1)
    return share(2 * counts[..., 1, 1], both)


def trials(counts: np.ndarray) -> tuple[float, float]:
    """Rows that are positive and called so, of those that are either."""
    hit = float(counts[1, 1])
    return hit, float(counts[:, 1].sum()) + float(counts[1].sum()) - hit


def of_rate(overlap: float) -> float:
    """F1 grows with the overlap J = TP / (TP + FP + FN) alone: 2 J / (1 + J).

    J is a plain rate, so that a bound of J (exact, binomial) is one of F1.

    >>> round(of_rate(0.5), 4)
    0.6667
    """
    return 2 * overlap / (1 + overlap)


F1 = Metric(
    name="f1",
    problem="classes",
    value=through(of_confusion, binary_only=True),
    method="confusion",
    binary_only=True,
    of_confusion=of_confusion,
    trials=trials,
    of_rate=of_rate,
    undefined=no_positive,
    least=0.0,
    most=1.0,
)

"""Correlation of the classes that are true with those that are called."""

from __future__ import annotations

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import share, single_class, through


def of_confusion(counts: np.ndarray) -> np.ndarray:
    """[..., k, k] counts -> [...]; 0 when one class alone is true, or is called.

    Of more than two classes: Gorodkin (2004), "Comparing two K-category assignments by a
    K-category correlation coefficient", Computational Biology and Chemistry 28.

    >>> round(float(of_confusion(np.array([[5, 1], [2, 3]]))), 4)
    0.4485
    """
    own, called = (counts.sum(axis=axis).astype(float) for axis in (-1, -2))
    rows = own.sum(axis=-1)
    hit = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
    together = hit * rows - (own * called).sum(axis=-1)
    spread = [rows**2 - (side**2).sum(axis=-1) for side in (own, called)]
    # rounding may leave a little less than nothing
    return share(together, np.sqrt(np.maximum(spread[0], 0) * np.maximum(spread[1], 0)))


MatthewsCorrcoef = Metric(
    name="matthews_corrcoef",
    problem="classes",
    value=through(of_confusion, binary_only=False),
    method="confusion",
    of_confusion=of_confusion,
    undefined=single_class,
    least=-1.0,
    most=1.0,
)

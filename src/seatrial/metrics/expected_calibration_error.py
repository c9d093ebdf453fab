"""How far the probabilities are from what comes true: the mean distance, over bins; less is better.

``expected_calibration_error@15`` has 15 bins of equal width; without a number it has 10. With two
classes the probability is that of the positive one, with more that of the class that is answered.
Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian
binning", AAAI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import codes, probabilities

if TYPE_CHECKING:
    from seatrial.metrics import Predictions

USUAL = 10
MOST_BINS = 1000


def at(bins: float) -> Metric:
    """The metric with so many bins; ValueError says how many there may be.

    >>> from seatrial.metrics import Predictions
    >>> p = np.full(10, 0.8)
    >>> answers = Predictions(np.ones(10), np.column_stack([1 - p, p]), (0, 1))
    >>> round(at(10).value(np.array([1] * 6 + [0] * 4), answers), 3)
    0.2
    """
    if bins != int(bins) or not 1 <= bins <= MOST_BINS:
        raise ValueError(f"a whole number of bins up to {MOST_BINS}, such as 15")
    count = int(bins)

    def binned(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
        """[n] the bin of each row, and how much more probable it was called than it came true."""
        said, true = _said_and_true(y, predictions)
        return np.minimum((said * count).astype(np.intp), count - 1), said - true

    def value(y: np.ndarray, predictions: Predictions) -> float:
        place, apart = binned(y, predictions)
        return float(np.abs(np.bincount(place, apart)).sum() / len(apart))

    return Metric(
        name="expected_calibration_error" + ("" if count == USUAL else f"@{count}"),
        problem="classes",
        value=value,
        method="bins",
        binned=binned,
        greater_is_better=False,
        least=0.0,
        most=1.0,
        at=at,
    )


def _said_and_true(y: np.ndarray, predictions: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """[n] a probability, and whether it came true."""
    given = probabilities(predictions).astype(np.float64)
    place = codes(y, predictions.classes)
    if given.shape[1] == 2:
        return given[:, 1], (place == 1).astype(np.float64)
    answered = given.argmax(axis=1)
    return given[np.arange(len(given)), answered], (place == answered).astype(np.float64)


ExpectedCalibrationError = at(USUAL)

"""How far do two answers to the same row lie apart, in a unit that fits what is answered?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.inference.parity import scores

if TYPE_CHECKING:
    from seatrial.inference.answer import Answer


def distances(expected: Answer, got: Answer) -> np.ndarray:
    """``[n]`` the largest difference of a row, in its unit; infinite where one is no number.

    FormError when the shapes differ.

    >>> from seatrial.inference.answer import Answer
    >>> distances(Answer(np.array([1e-6, 3e-6])), Answer(np.array([1e-6, np.nan]))).tolist()
    [0.0, inf]
    """
    first, second = scores(expected, got)
    finite = (np.isfinite(first) & np.isfinite(second)).all(axis=1)
    far = np.full(len(first), np.inf)
    apart = np.abs(second[finite] - first[finite]) / units(expected)[finite]
    far[finite] = apart.max(axis=1, initial=0.0)
    return far


def units(expected: Answer) -> np.ndarray:
    """``[n, 1]`` what a difference is divided by.

    Probabilities are compared as they are. A number is compared with its own size, or with the
    standard deviation of all answers where that is more: so nothing depends on the unit of the
    target, and answers around 1e-6 are held as strictly as answers around 1.

    >>> from seatrial.inference.answer import Answer
    >>> units(Answer(np.array([1.0, 3.0, 5.0, -1.0, -3.0]))).round(2).ravel().tolist()
    [2.83, 3.0, 5.0, 2.83, 3.0]
    """
    if expected.probabilities is not None:
        return np.ones((len(expected.label), 1))
    numbers = expected.label.astype(np.float64).reshape(-1, 1)
    finite = numbers[np.isfinite(numbers)]
    unit = np.maximum(np.abs(numbers), finite.std() if len(finite) else 0.0)
    return np.where(unit > 0.0, unit, 1.0)

"""Whether two models give the same answers: the exported one against the trained one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import FormError, Mistake
from seatrial.inference.tolerance import ANSWERS

if TYPE_CHECKING:
    from seatrial.inference.answer import Answer

TOLERANCE = ANSWERS
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Parity:
    """Counts over ``rows``; ``ok`` when no row lies outside, no label flips, and there are rows.

    ``largest_difference`` is taken over finite values; a row with a NaN or an infinity in
    either answer lies outside.
    """

    rows: int
    largest_difference: float
    outside: int
    label_flips: int

    @property
    def ok(self) -> bool:
        """No rows prove nothing, so they are no parity."""
        return self.rows > 0 and not self.outside and not self.label_flips


def parity(expected: Answer, got: Answer, tolerance: float = TOLERANCE) -> Parity:
    """Compare two answers to the same rows; FormError when their shapes differ.

    For classes a row's difference is the largest one of its probabilities, and a flip is
    another label where the expected winner leads by more than twice the tolerance: closer than
    that, the tolerance itself allows either. For numbers it is ``|got - expected| / max(1,
    |expected|)``: absolute for small numbers, relative for large ones; there are no flips.

    >>> from seatrial.inference.answer import Answer
    >>> parity(Answer(np.array([100.0])), Answer(np.array([100.0005]))).ok
    True
    """
    first, second = scores(expected, got)
    finite = (np.isfinite(first) & np.isfinite(second)).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = np.abs(second - first)
        if expected.probabilities is None:
            difference /= np.maximum(1.0, np.abs(first))
    per_row = difference.max(axis=1, initial=0.0)
    return Parity(
        rows=len(first),
        largest_difference=float(per_row[finite].max(initial=0.0)),
        outside=int(np.count_nonzero(~finite | (per_row > tolerance))),
        label_flips=int(np.count_nonzero(flips(expected, got, tolerance))),
    )


def scores(expected: Answer, got: Answer) -> tuple[np.ndarray, np.ndarray]:
    """What is compared of two answers, float64 ``[n, k]``; FormError when their shapes differ."""
    first, second = _scores(expected), _scores(got)
    if first.shape != second.shape or len(expected.label) != len(got.label):
        raise FormError(
            Mistake(f"answers of the shapes {first.shape} and {second.shape} cannot be compared")
        )
    return first, second


def flips(expected: Answer, got: Answer, tolerance: float) -> np.ndarray:
    """``[n]`` whether a row has another label, though the expected one led by enough."""
    if expected.probabilities is None:
        return np.zeros(len(expected.label), dtype=np.bool_)
    flipped = np.asarray(expected.label != got.label)
    table = expected.probabilities.astype(np.float64)
    if table.shape[1] >= _PAIR:
        ordered = np.sort(table, axis=1)
        flipped &= ~(ordered[:, -1] - ordered[:, -2] <= _PAIR * tolerance)
    return flipped


def _scores(answer: Answer) -> np.ndarray:
    if answer.probabilities is None:
        return answer.label.astype(np.float64).reshape(-1, 1)
    return answer.probabilities.astype(np.float64)

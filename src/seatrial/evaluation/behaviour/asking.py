"""Ask a model, and tell an answer from none: whatever it does is what it says to these rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import SeatrialError, StoreError
from seatrial.inference.parity import TOLERANCE
from seatrial.inference.pickled import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Signature

    Features = Mapping[str, NDArray[Any]]

WORDS = 200
"""Characters of a model's own error that are told."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model gave no answer, or one for other rows than were asked: a sentence that says so."""

    sentence: str


def ask(model: Answers, features: Features) -> Answer | Refusal:
    """What the model says to columns ``[n]``; StoreError when its files are in the way."""
    try:
        answer = model.predict(features)
    except NoAnswerError as error:
        return Refusal(f"it fails: {_said(error)}")
    except (StoreError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a model is anybody's code: whatever it raises is what it says
        return Refusal(f"it fails: {_said(error)}")
    wrong = misfit(answer, count(features), model.signature)
    return Refusal(wrong) if wrong else answer


def count(features: Features) -> int:
    """How many rows."""
    return len(next(iter(features.values()))) if features else 0


def part(features: Features, chosen: NDArray[Any] | slice) -> dict[str, NDArray[Any]]:
    """Some of the rows."""
    return {name: column[chosen] for name, column in features.items()}


def spread_out(rows: int, wanted: int) -> NDArray[np.intp]:
    """At most ``wanted`` of ``rows`` positions, evenly apart.

    >>> spread_out(10, 4).tolist(), spread_out(2, 4).tolist()
    ([0, 2, 5, 7], [0, 1])
    """
    if rows <= wanted:
        return np.arange(rows)
    return np.arange(wanted) * rows // wanted


def misfit(answer: Answer, rows: int, signature: Signature) -> str:
    """Why an answer cannot be that to ``rows`` rows; empty when it can."""
    label, table = np.asarray(answer.label), answer.probabilities
    if label.shape != (rows,):
        return f"it answers labels of the shape {[*label.shape]}, not {[rows]}"
    if label.dtype == object:
        odd = [each for each in label.tolist() if not isinstance(each, str | int)]
        if odd:
            return f"it answers a {type(odd[0]).__name__} where a label belongs"
    if signature.problem == "numbers":
        return "" if label.dtype.kind in "fiu" else f"it answers {label.dtype}, not numbers"
    if table is None:
        return "it answers no probabilities"
    wanted = (rows, len(signature.classes))
    if np.asarray(table).shape != wanted:
        return f"it answers probabilities of the shape {[*np.shape(table)]}, not {[*wanted]}"
    return "" if table.dtype.kind == "f" else f"its probabilities are {table.dtype}"


def wrongs(answer: Answer, signature: Signature) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """What no answer may be, with the rows ``[n]`` where it is; a row is told once."""
    free = np.ones(len(answer.label), np.bool_)
    for said, mask in _wrongs(answer, signature):
        yield said, mask & free
        free &= ~mask


def broken(answer: Answer, signature: Signature) -> NDArray[np.bool_]:
    """``[n]`` whether a row's answer is none that may be given."""
    found = np.zeros(len(answer.label), np.bool_)
    for _, mask in _wrongs(answer, signature):
        found |= mask
    return found


def sum_tolerance(classes: int) -> float:
    """How far the sum of so many probabilities may be from 1: 1e-5, more for very many.

    Each addition of float32 numbers rounds by at most ``2**-24`` of the sum.

    >>> sum_tolerance(2), round(sum_tolerance(1000), 5)
    (1e-05, 0.00012)
    """
    return float(max(TOLERANCE, classes * 2.0**-23))


def improbable(table: NDArray[Any]) -> NDArray[np.bool_]:
    """``[n]`` whether finite numbers ``[n, k]`` lie outside [0, 1] or do not sum to 1."""
    allowed = sum_tolerance(table.shape[1])
    exact = table.astype(np.float64)
    outside = ((exact < -allowed) | (exact > 1 + allowed)).any(axis=1)
    return np.asarray(outside | (np.abs(exact.sum(axis=1) - 1) > allowed))


def unknown(answer: Answer, signature: Signature) -> NDArray[np.bool_]:
    """``[n]`` whether the label is none of the classes."""
    known = {*signature.classes}
    return np.array([label not in known for label in answer.label.tolist()], np.bool_)


def apart(first: Answer, second: Answer) -> NDArray[np.bool_]:
    """``[n]`` whether two answers to the same row differ by more than the parity tolerance.

    As :func:`seatrial.inference.parity.parity` has it, row by row, but that two NaN are the same:
    here the question is whether the model answers alike, not whether it answers well.

    >>> from seatrial.inference.answer import Answer
    >>> apart(Answer(np.array([1.0, np.nan])), Answer(np.array([1.1, np.nan]))).tolist()
    [True, False]
    """
    one, other = _numbers(first), _numbers(second)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    with np.errstate(invalid="ignore", over="ignore"):
        scale = 1.0 if first.probabilities is not None else np.maximum(1.0, np.abs(one))
        near = np.abs(one - other) <= TOLERANCE * scale
    differs = ~(same | near).all(axis=1)
    if first.probabilities is None:
        return np.asarray(differs)
    flipped = np.asarray(first.label != second.label)
    if one.shape[1] > 1:
        ordered = np.sort(one, axis=1)
        flipped = flipped & ~(ordered[:, -1] - ordered[:, -2] <= 2 * TOLERANCE)
    return np.asarray(differs | flipped)


def largest(first: Answer, second: Answer) -> float:
    """The largest difference between two answers, of the numbers in them that are finite."""
    one, other = _numbers(first), _numbers(second)
    finite = np.isfinite(one) & np.isfinite(other)
    return float(np.abs(one[finite] - other[finite]).max(initial=0.0))


def _said(error: Exception) -> str:
    """The error in one line, without what it advises: that is for who asked, not for the model."""
    told = error.mistakes[0].what if isinstance(error, SeatrialError) else str(error)
    return " ".join(told.split())[:WORDS] or type(error).__name__


def _wrongs(answer: Answer, signature: Signature) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    numbers = _numbers(answer)
    absent = np.asarray(np.isnan(numbers).any(axis=1))
    infinite = np.asarray(np.isinf(numbers).any(axis=1))
    yield "the answer is NaN", absent
    yield "the answer is infinite", infinite
    if answer.probabilities is not None:
        yield "the label is no known class", unknown(answer, signature)
        yield (
            "the answer is no probability",
            ~absent & ~infinite & improbable(answer.probabilities),
        )


def _numbers(answer: Answer) -> NDArray[np.float64]:
    if answer.probabilities is None:
        return answer.label.astype(np.float64).reshape(-1, 1)
    return answer.probabilities.astype(np.float64)

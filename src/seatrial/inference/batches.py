"""Ask a model for many rows, so many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnxruntime.capi import onnxruntime_pybind11_state

from seatrial.inference.answer import Answer
from seatrial.inference.pickled import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.inference.opening import Answers

CANNOT_ANSWER = (
    NoAnswerError,
    onnxruntime_pybind11_state.Fail,
    onnxruntime_pybind11_state.InvalidArgument,
    onnxruntime_pybind11_state.NotImplemented,
    onnxruntime_pybind11_state.RuntimeException,
)
"""What asking may raise when the model is at fault; they have no common parent but Exception."""


def asked(model: Answers, features: Mapping[str, np.ndarray], at_once: int) -> Answer:
    """The answer to columns ``[n]``, asked in their order, ``at_once`` rows together; 0: all."""
    rows = count(features)
    if not at_once or at_once >= rows:
        return model.predict(features)
    starts = range(0, rows, at_once)
    return _joined([model.predict(part(features, slice(s, s + at_once))) for s in starts])


def count(features: Mapping[str, np.ndarray]) -> int:
    """How many rows the columns have."""
    return len(next(iter(features.values()))) if features else 0


def part(features: Mapping[str, np.ndarray], some: slice | np.ndarray) -> dict[str, np.ndarray]:
    """Some of the rows."""
    return {name: column[some] for name, column in features.items()}


def part_of(answer: Answer, some: slice | np.ndarray) -> Answer:
    """The answer to some of the rows."""
    table = answer.probabilities
    return Answer(answer.label[some], None if table is None else table[some])


def _joined(answers: Sequence[Answer]) -> Answer:
    tables = [each.probabilities for each in answers if each.probabilities is not None]
    return Answer(
        np.concatenate([each.label for each in answers]),
        np.concatenate(tables) if tables else None,
    )

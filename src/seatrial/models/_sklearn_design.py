"""How columns become the numbers that a linear model weighs, in training as in serving.

A missing number is filled in with the median, and where training had some missing, that it was
missing is weighed too. Numbers are then standardised: the penalty treats all columns alike, the
fit settles, and a large mean costs no digits. A word is weighed by itself; what is missing or was
not known by itself in training has a weight of its own; when training had none such, it weighs
what the words of its column do on average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, Mistake
from seatrial.models._columns_words import places, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

FARTHEST = 1e6
"""Standardised values end here, so that an answer stays finite. Of n training rows none lies
farther out than the square root of n."""


@dataclass(frozen=True, slots=True)
class Number:
    """A column of numbers: ``filling`` replaces missing ones, then ``(x - centre) / spread``.

    ``gaps``: training had some missing, so that is weighed as well.
    """

    name: str
    filling: float
    centre: float
    spread: float
    gaps: bool

    def standardised(self, column: np.ndarray) -> np.ndarray:
        """Float64 ``[n]`` for float32 ``[n]``."""
        filled = np.where(np.isnan(column), self.filling, column.astype(np.float64))
        return np.clip((filled - self.centre) / self.spread, -FARTHEST, FARTHEST)


@dataclass(frozen=True, slots=True)
class Text:
    """A column of strings: its known words; the place behind the last one is every other."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """The columns, each with what it becomes: its width in the matrix is ``width(column)``."""

    columns: tuple[Number | Text, ...]

    def matrix(self, read: Mapping[str, np.ndarray]) -> Any:
        """Float64 ``[n, width]``: sparse when there is text, whose words are mostly zeros."""
        from scipy import sparse  # noqa: PLC0415 - only who trains needs it

        blocks = [block for each in self.columns for block in _blocks(each, read[each.name])]
        if any(isinstance(each, Text) for each in self.columns):
            return sparse.hstack(blocks, format="csr")
        return np.column_stack(blocks)


def designed(read: Mapping[str, np.ndarray], signature: Signature) -> Design:
    """What the training rows say about each column; FormError for an infinite number."""
    infinite = [
        f"the column {each.name!r} holds an infinite number in row {_first(np.isinf(column))}"
        for each in signature.inputs
        if each.datatype == "FP32" and np.isinf(column := read[each.name]).any()
    ]
    if infinite:
        fix = "leave it empty where there is no number"
        raise FormError(*(Mistake(what, fix=fix) for what in infinite))
    words = words_of(read, signature)
    return Design(
        tuple(
            _number(each.name, read[each.name])
            if each.datatype == "FP32"
            else Text(each.name, tuple(words[each.name]))
            for each in signature.inputs
        )
    )


def width(column: Number | Text) -> int:
    """How many numbers of the matrix a column becomes."""
    return len(column.words) + 1 if isinstance(column, Text) else 1 + column.gaps


def _number(name: str, column: np.ndarray) -> Number:
    missing = np.isnan(column)
    if missing.all():
        return Number(name, 0.0, 0.0, 1.0, gaps=False)
    present = column[~missing].astype(np.float64)
    filling = float(np.median(present))
    filled = np.where(missing, filling, column.astype(np.float64))
    gaps = bool(missing.any())
    if filled.min() == filled.max():
        # its mean and deviation are rounding errors: it must weigh nothing, not be blown up
        return Number(name, filling, filling, 1.0, gaps)
    centre = float(filled.mean())
    return Number(name, filling, centre, float(np.sqrt(((filled - centre) ** 2).mean())), gaps)


def _blocks(column: Number | Text, values: np.ndarray) -> list[Any]:
    if isinstance(column, Number):
        gaps = [np.isnan(values).astype(np.float64)[:, np.newaxis]] if column.gaps else []
        return [column.standardised(values)[:, np.newaxis], *gaps]
    from scipy import sparse  # noqa: PLC0415

    rows = len(values)
    ones = (np.ones(rows), (np.arange(rows), places(values, column.words)))
    return [sparse.csr_array(ones, shape=(rows, width(column)))]


def _first(found: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(found)[0])

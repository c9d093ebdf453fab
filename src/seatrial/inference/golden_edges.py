"""Where does the answer jump? Rows on both sides: they show that a threshold was moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.inference.batches import part

if TYPE_CHECKING:
    from numpy.random import Generator

    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers

    Rows = dict[str, np.ndarray]

JUMP = 1e-4
"""The least jump that counts: of a probability, or in standard deviations of the answers."""

STEP = 1e-5
"""How far from the jump its rows are, as a share of the column's range."""

STEP_OF_VALUE = 2e-6
"""At least so much of the value: a rounding or two of float32 move no row across."""

_TRIED = 16
_HALVINGS = 20  # 2**-20 of the range is a tenth of a step


def edges(model: Answers, pool: Rows, answer: Answer, most: int, random: Generator) -> Rows:
    """Up to ``most`` rows in pairs, alike but for a little in one column, and answered otherwise.

    ``answer`` is the model's to ``pool``. Rows are drawn, and one column of each is moved to what
    it is in another row. Where that changes the answer, the way is halved until the jump is
    found. All rows go together, so the model is asked two dozen times. A model without jumps has
    no edges.
    """
    ranges = {name: _range(column) for name, column in pool.items() if column.dtype != object}
    ranges = {name: width for name, width in ranges.items() if 0 < width < np.inf}
    nothing = part(pool, slice(0))
    if not ranges:
        return nothing
    ways, start, end = _drawn(model, pool, answer, ranges, most * _TRIED, random)
    differ = np.flatnonzero(_apart(ways.at(start), ways.at(end)) > JUMP)[:most]
    if not len(differ):
        return nothing
    ways = ways.some(differ)
    start, end = _halved(ways, start[differ], end[differ])
    step = np.array([ranges[name] for name in ways.column]) * STEP
    step = np.maximum(step, STEP_OF_VALUE * np.abs(start)) * np.sign(end - start)
    start, end = start - step, end + step
    found = np.flatnonzero(_apart(ways.at(start), ways.at(end)) > JUMP)
    first = _first_of_each(ways.column[found], start[found], np.abs(step[found]))
    kept = found[first][: most // 2]
    both = [ways.some(kept).rows_at(values[kept]) for values in (start, end)]
    return {name: np.stack([one[name] for one in both], 1).reshape(-1) for name in pool}


@dataclass(frozen=True, slots=True)
class _Ways:
    """Rows ``[n]``, in each of which one column moves; ``unit`` is that of the answers."""

    model: Answers
    rows: Rows
    column: np.ndarray
    unit: float

    def some(self, which: np.ndarray) -> _Ways:
        return _Ways(self.model, part(self.rows, which), self.column[which], self.unit)

    def rows_at(self, values: np.ndarray) -> Rows:
        """The rows with the moving column at these values ``[n]``."""
        moved = {name: column.copy() for name, column in self.rows.items()}
        for name in set(self.column):
            which = self.column == name
            moved[name][which] = values[which].astype(np.float32)
        return moved

    def at(self, values: np.ndarray) -> np.ndarray:
        """The answers ``[n, k]`` to them."""
        answer = self.model.predict(self.rows_at(values))
        shown = answer.label if answer.probabilities is None else answer.probabilities
        return shown.astype(np.float64).reshape(len(values), -1) / self.unit


def _drawn(
    model: Answers,
    pool: Rows,
    answer: Answer,
    ranges: dict[str, float],
    count: int,
    random: Generator,
) -> tuple[_Ways, np.ndarray, np.ndarray]:
    """Ways from rows of the pool, the columns in turn, and where each starts and ends."""
    names = [[*ranges][place] for place in random.permutation(len(ranges))]
    column = np.array([names[way % len(names)] for way in range(count)], dtype=object)
    rows, others = random.integers(len(answer.label), size=(2, count))
    start, end = (
        np.array([pool[name][row] for name, row in zip(column, drawn, strict=True)], np.float64)
        for drawn in (rows, others)
    )
    sure = np.flatnonzero(np.isfinite(start) & np.isfinite(end) & (start != end))
    unit = 1.0 if answer.probabilities is not None else float(answer.label.std(dtype=np.float64))
    ways = _Ways(model, part(pool, rows[sure]), column[sure], unit or 1.0)
    return ways, start[sure], end[sure]


def _halved(ways: _Ways, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each way cut to that half in which the answer changes more, time and again."""
    at_start, at_end = ways.at(start), ways.at(end)
    for _ in range(_HALVINGS):
        middle = start + (end - start) / 2
        at_middle = ways.at(middle)
        later = _apart(at_middle, at_end) > _apart(at_start, at_middle)
        start, end = np.where(later, middle, start), np.where(later, end, middle)
        at_start = np.where(later[:, None], at_middle, at_start)
        at_end = np.where(later[:, None], at_end, at_middle)
    return start, end


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """``[n]`` the largest difference; none where an answer is no finite number."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other).max(axis=1, initial=0.0)
    return np.where(np.isfinite(apart), apart, 0.0)


def _first_of_each(column: np.ndarray, at: np.ndarray, step: np.ndarray) -> list[int]:
    """The places of jumps that are not the same jump as an earlier one."""
    rounded = np.round(at / (4 * step)).tolist()
    seen: dict[tuple[str, float], int] = {}
    for place, jump in enumerate(zip(column.tolist(), rounded, strict=True)):
        seen.setdefault(jump, place)
    return [*seen.values()]


def _range(column: np.ndarray) -> float:
    finite = column[np.isfinite(column)].astype(np.float64)
    return float(np.ptp(finite)) if len(finite) else 0.0

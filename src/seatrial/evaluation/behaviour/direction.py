"""Does the mean answer rise (or fall) as a column grows?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask
from seatrial.evaluation.behaviour.found import Fault, Found, named, skipped
from seatrial.evidence import means
from seatrial.evidence.rates import LEVEL
from seatrial.outcome import Direction, Measure, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

TOLERANCE = 0.01
"""Of a probability, or of a standard deviation of the answers: so far it may go back."""

POINTS = 20
"""Values of the column at which the mean answer is asked."""

FEW = 2
"""Values of a column, or rows, below which there is no direction, or no bound of it."""

ENDS = (0.05, 0.95)
"""The quantiles of the column between which it grows."""


def increasing(
    model: Answers,
    features: Features,
    column: str,
    *,
    tolerance: float | None = None,
    of_class: int | str | None = None,
) -> Found:
    """How far the mean over rows falls back, at the most, while ``column`` grows.

    Every row is given each of up to 20 values of the column, from its 5 % to its 95 % quantile,
    and the answers are averaged (partial dependence: Friedman 2001, "Greedy function
    approximation", Annals of Statistics 29, section 8.2). For classes the answer is the
    probability of ``of_class``, the greater of two when none is named; for numbers the number.
    ``tolerance`` is in the same unit; without one it is 0.01 of a probability, and a hundredth of
    the standard deviation of the answers for numbers.

    The measure is the greatest fall of that mean from any value to any later one. Both means are
    over the same rows, so its bounds are those of a mean of differences. The upper one holds for
    every pair by itself; the lower one, which looks at the worst of many pairs, is corrected for
    their number (Bonferroni). Rows that all answer alike may hide one that does not, by as much as
    a probability can move, or a standard deviation of the answers: that none of n falls proves a
    tolerance of about 1.65 / n of that, and never one of 0.
    """
    asked = _Asked(model, features, column, of_class)
    return _judged(asked, f"increasing_in.{column}", tolerance, 1)


def decreasing(
    model: Answers,
    features: Features,
    column: str,
    *,
    tolerance: float | None = None,
    of_class: int | str | None = None,
) -> Found:
    """How far the mean over rows rises, at the most, while ``column`` grows; as ``increasing``."""
    asked = _Asked(model, features, column, of_class)
    return _judged(asked, f"decreasing_in.{column}", tolerance, -1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about one column, to a model, on rows."""

    model: Answers
    features: Features
    column: str
    of_class: int | str | None

    @property
    def subject(self) -> str:
        """What has the direction, in words."""
        classes = self.model.signature.classes
        if not classes:
            return "the mean answer"
        whose = classes[-1] if self.of_class is None else self.of_class
        return f"the mean probability of {whose!r}"

    def answers(self, features: Features) -> NDArray[np.float64] | Refusal:
        """``[n]`` the numbers that have a direction."""
        answer = ask(self.model, features)
        if isinstance(answer, Refusal):
            return answer
        if answer.probabilities is None:
            return answer.label.astype(np.float64)
        place = -1
        if self.of_class is not None:
            place = self.model.signature.classes.index(self.of_class)
        return np.asarray(answer.probabilities[:, place], np.float64)

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64] | Refusal:
        """``[values, n]`` the answers with each value in every row."""
        rows = len(self.features[self.column])
        every: list[NDArray[np.float64]] = []
        for value in values:
            there = np.full(rows, value, np.float32)
            answers = self.answers({**self.features, self.column: there})
            said = f"{self.column!r} = {value:g} in every row: "
            if isinstance(answers, Refusal):
                return Refusal(said + answers.sentence)
            if not np.isfinite(answers).all():
                return Refusal(f"{said}some answers are not finite")
            every.append(answers)
        return np.stack(every)


def _judged(asked: _Asked, word: str, tolerance: float | None, sign: int) -> Found:
    column = asked.column
    plain = asked.answers(asked.features)
    if isinstance(plain, Refusal):
        return skipped(word, limit=tolerance)
    unit = 1.0 if asked.model.signature.classes else _deviation(plain)
    allowed = TOLERANCE * unit if tolerance is None else tolerance
    if column not in {each.name for each in asked.model.signature.inputs}:
        what = f"the model does not read {column!r}: its answer has no direction in it"
        return skipped(word, what, allowed)
    values = _grid(asked.features[column])
    if len(values) < FEW:
        what = f"{column!r} holds one value only: whether the answer has a direction is not known"
        return skipped(word, what, allowed)
    answers = asked.at(values)
    if isinstance(answers, Refusal):
        failed = replace(_measure(word, None, allowed, len(plain)), verdict=Verdict.FAIL)
        return Found((failed,), (Fault(what=answers.sentence, column=column, refused=True),))
    fall = _worst(sign * answers, unit)
    measure = _measure(word, fall, allowed, len(plain))
    return Found((measure,), tuple(_told(asked, measure, fall, values, answers, sign)))


@dataclass(frozen=True, slots=True)
class _Fall:
    """The greatest fall of the mean, between two places of the grid, with its bounds."""

    value: float
    low: float
    high: float
    start: int
    end: int


def _deviation(answers: NDArray[np.float64]) -> float:
    finite = answers[np.isfinite(answers)]
    return float(np.std(finite)) if len(finite) else 0.0


def _grid(column: NDArray[Any]) -> NDArray[np.float64]:
    """Values of the column, ascending: each that it has when they are few, else quantiles."""
    finite = column[np.isfinite(column)].astype(np.float64)
    distinct = np.unique(finite)
    if len(distinct) <= POINTS:
        return np.asarray(distinct)
    return np.unique(np.quantile(finite, np.linspace(*ENDS, POINTS), method="nearest"))


def _worst(answers: NDArray[np.float64], one_row: float) -> _Fall:
    """The greatest fall between two places ``i < j`` of ``[values, rows]``."""
    count = len(answers)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    found = [_bounded(answers[i] - answers[j], len(pairs), one_row) for i, j in pairs]
    place = int(np.argmax([value for value, _, _ in found]))
    low, high = max(each[1] for each in found), max(each[2] for each in found)
    return _Fall(max(found[place][0], 0.0), max(low, 0.0), max(high, 0.0), *pairs[place])


def _bounded(falls: NDArray[np.float64], pairs: int, one_row: float) -> tuple[float, float, float]:
    """The mean fall, its low bound corrected for the number of pairs, and its high bound."""
    from scipy.special import stdtrit  # noqa: PLC0415 - a fifth of a second, only when judging

    mean = float(falls.mean())
    if len(falls) < FEW:
        return mean, -np.inf, np.inf
    reach = float(stdtrit(means.freedom(falls), 1 - (1 - LEVEL) / pairs))
    low = mean - reach * means.deviation(falls, one_row=one_row)
    return mean, low, means.interval(falls, one_row=one_row)[1]


def _measure(word: str, fall: _Fall | None, allowed: float, rows: int) -> Measure:
    plain = Measure(name=named(word), value=None, limit=allowed, direction=Direction.AT_MOST)
    if fall is None:
        return replace(plain, n=rows)
    return replace(
        plain,
        value=fall.value,
        low=fall.low,
        high=fall.high if np.isfinite(fall.high) else None,
        n=rows,
        verdict=judge(fall.low, fall.high, allowed, Direction.AT_MOST),
    )


def _told(
    asked: _Asked,
    measure: Measure,
    fall: _Fall,
    values: NDArray[np.float64],
    answers: NDArray[np.float64],
    sign: int,
) -> Iterator[Fault]:
    column = asked.column
    if not np.ptp(answers, axis=0).any():
        yield Fault(what=f"the answer does not depend on {column!r} at all", column=column)
    if measure.verdict is Verdict.PASS:
        return
    start, end = values[fall.start], values[fall.end]
    does = "falls" if sign > 0 else "rises"
    bounds = f"between {fall.low:.3g} and {fall.high:.3g}; allowed {measure.limit:.3g}"
    what = f"while {column!r} grows from {start:g} to {end:g} {asked.subject} {does} by"
    yield Fault(what=f"{what} {fall.value:.3g} ({bounds})", column=column)

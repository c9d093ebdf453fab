"""Does the model get right what it must never get wrong: minimum functionality cases?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask
from seatrial.evaluation.behaviour.found import Fault, Found, counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one row demands: ``expected`` label (or number within ``tolerance``), or bounds.

    ``at_least`` and ``at_most`` bound the probability of ``of_class`` (of the greater of two
    classes when none is named), or the number. What is None is not demanded.
    """

    row: int
    expected: int | str | float | None = None
    tolerance: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    of_class: int | str | None = None
    name: str = ""
    why: str = ""


def cases(model: Answers, features: Features, demanded: tuple[Case, ...]) -> Found:
    """The cases that fail, each told; ``features`` are their rows, in the same order."""
    answer = ask(model, features)
    count = len(demanded)
    if isinstance(answer, Refusal):
        what = f"asked all {count} cases, {answer.sentence}"
        return counted("cases", count, count, [Fault(what=what, refused=True)])
    faults: list[Fault] = []
    for place, case in enumerate(demanded):
        wrong = [*_wrong(case, place, answer, model)]
        if wrong:
            title = f" ({case.name})" if case.name else ""
            what = f"case in row {case.row}{title}: {' and '.join(wrong)}"
            faults.append(Fault(what=what, hint=case.why))
    return counted("cases", len(faults), count, faults)


def _wrong(case: Case, place: int, answer: Answer, model: Answers) -> list[str]:
    wrong: list[str] = []
    label = answer.label.tolist()[place]
    if answer.probabilities is None:
        value, called = float(label), "the answer"
        if case.expected is not None:
            reach = case.tolerance or 0.0
            if not abs(value - float(case.expected)) <= reach:
                wrong.append(f"the answer is {value:g}, not {case.expected:g} ± {reach:g}")
    else:
        classes = model.signature.classes
        of_class = classes[-1] if case.of_class is None else case.of_class
        value = _probability(answer.probabilities, place, classes.index(of_class))
        called = f"the probability of {of_class!r}"
        if case.expected is not None and label != case.expected:
            mine = _probability(answer.probabilities, place, classes.index(case.expected))
            wrong.append(f"the label is {label!r}, not {case.expected!r} (which has {mine:.3g})")
    # written so that NaN keeps no bound
    if case.at_least is not None and not value >= _single(case.at_least):
        wrong.append(f"{called} is {value:.4g}, not at least {case.at_least:g}")
    if case.at_most is not None and not value <= _single(case.at_most):
        wrong.append(f"{called} is {value:.4g}, not at most {case.at_most:g}")
    return wrong


def _single(bound: float) -> float:
    """The bound as the model's answers have it: 0.9 is kept by the float32 nearest to 0.9."""
    return float(np.float32(bound))


def _probability(table: NDArray[Any], place: int, of_class: int) -> float:
    return float(table[place, of_class])

"""Is the answer to no rows an empty one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evaluation.behaviour.asking import Refusal, ask, part
from seatrial.evaluation.behaviour.found import Fault, Found, counted

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers


def empty_input(model: Answers, features: Features) -> Found:
    """One question: columns of no rows, as a client sends when its filter let nothing through."""
    answer = ask(model, part(features, slice(0)))
    if not isinstance(answer, Refusal):
        return counted("empty_input", 0, 1)
    return counted("empty_input", 1, 1, [Fault(what=f"asked for no rows, {answer.sentence}")])

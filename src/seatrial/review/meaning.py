"""What follows from each answer to a question, and from none: said before somebody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.review.items import Choice
from seatrial.review.run_decisions import GATE

if TYPE_CHECKING:
    from seatrial.review.items import Item

_RUN_ENDS = "the run ends, and production stays as it is"
_KEPT = "your answer is kept and told; it moves nothing"
_GO_BACK = f"{_KEPT}: to go back, roll the model back"

_MEANS: dict[tuple[str, str], str] = {
    (GATE, Choice.APPROVE): "the step counts as passed, in your name, and the run goes on",
    ("quarantine_lift", Choice.APPROVE): "the quarantine ends, and the run asks the step again",
    ("quarantine_lift", Choice.REJECT): f"it stays in quarantine; {_RUN_ENDS}",
    ("storm_freeze", Choice.APPROVE): "runs and watches may move the model again",
    ("storm_freeze", Choice.REJECT): "the model stays frozen: only a person moves it",
    ("watch_inconclusive", Choice.APPROVE): f"you take it to be as good; {_KEPT}",
    ("watch_inconclusive", Choice.REJECT): f"you take it to be worse; {_GO_BACK}",
    ("disagreement", Choice.APPROVE): f"you take it to be right; {_KEPT}",
    ("disagreement", Choice.REJECT): f"you take it to be wrong; {_GO_BACK}",
    ("retrain", Choice.APPROVE): f"it shall be trained anew; {_KEPT}, and begins no run",
    ("retrain", Choice.REJECT): f"it shall not be trained anew; {_KEPT}",
    ("drift", Choice.APPROVE): f"the move is known and meant; {_KEPT}",
    ("drift", Choice.REJECT): f"the model shall be trained anew; {_KEPT}, and begins no run",
}
"""By kind and answer; of a kind that is not here, an answer is kept and told."""


def means(item: Item, choice: str) -> str:
    """What ``choice`` does to what is asked; ``keep`` is what silence does where no run waits."""
    asked = item.asked
    if choice == "keep":
        return "what serves goes on serving, and the question leaves the queue as expired"
    known = _MEANS.get((item.kind, choice))
    if known is not None:
        return known
    return _RUN_ENDS if asked.run is not None else _GO_BACK

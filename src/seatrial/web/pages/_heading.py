"""What a question is called where there is room for one line: what is asked, of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.review.items import Choice

if TYPE_CHECKING:
    from seatrial.review.items import Item

ASKS = {
    "gate_inconclusive": "May {step} pass?",
    "watch_inconclusive": "Is it as good as the version before?",
    "guardrail": "It does harm: what shall serve?",
    "retrain": "Shall the model be trained anew?",
    "storm_freeze": "May it be promoted by itself again?",
    "rollback_blocked": "Shall production go back?",
    "disagreement": "Is it right to answer otherwise?",
    "quarantine_lift": "May it be promoted after all?",
    "drift": "May it go on although its requests have moved?",
}
"""By kind; the whole question stands below it."""

END = "Shall the run end at {step}?"
"""Where a step has done nothing, and to approve is no option."""


def heading(item: Item) -> str:
    """What is asked, and of which version of which model: a line, whatever the question is."""
    asked = item.asked
    wording = ASKS.get(item.kind, "{kind}?") if Choice.APPROVE in asked.options else END
    said = wording.format(step=asked.step or "it", kind=item.kind.replace("_", " "))
    if asked.model is None:
        return said
    version = "" if asked.version is None else f", version {asked.version}"
    return f"{said} {asked.model}{version}"

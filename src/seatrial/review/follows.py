"""What a person's decision means for what waits, in sentences for who has just decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.ledger import runs
from seatrial.review.document import HASTY_S, hasty
from seatrial.review.effects import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.ledger.store import Ledger
    from seatrial.review.items import Item


def follows(ledger: Ledger, item: Item) -> Iterator[str]:
    """What follows from the decision of an item."""
    if hasty(item):
        yield (f"note: that took less than {HASTY_S:g} s, which the list of decisions will show")
    if item.asked.run is not None:
        yield _of_the_run(ledger, item.asked.run)
    elif item.kind not in EFFECTS:
        yield (
            "that is kept and told, and moves nothing; to go back to the version before:"
            f" seatrial rollback {item.asked.model} --reason '…'"
        )


def _of_the_run(ledger: Ledger, run: str) -> str:
    found = runs.get(ledger, run)
    if found.ended:
        return f"run {run} has ended: production stays as it is"
    if found.state is runs.State.REVIEW:
        return f"run {run} waits for another answer: seatrial reviews"
    if found.engine != "embedded":
        return f"run {run} goes on when {found.engine} runs that step again"
    return f"run {run} goes on under `seatrial serve`, or with the command that began it"

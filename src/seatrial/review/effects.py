"""What a decision does: by kind of question, in the transaction that decides.

To add one, write a function of the transaction, the decided item and the choice, and name it in
:data:`EFFECTS`. The choice is ``approve`` or ``reject`` of a person or, at the deadline, the
``on_timeout`` of the item. What the function raises undoes the decision. A run that waits for the
answer goes on, or ends, after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from seatrial.errors import Mistake, UsageError
from seatrial.ledger import runs
from seatrial.review import lifting, run_decisions

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.ledger.store import Transaction
    from seatrial.review.items import Item

Effect: TypeAlias = "Callable[[Transaction, Item, str], None]"

EFFECTS: dict[str, Effect] = {
    "quarantine_lift": lifting.lift_quarantine,
    "storm_freeze": lifting.thaw,
}
"""By kind; a kind without one is only recorded and told."""


def apply(transaction: Transaction, item: Item, choice: str) -> None:
    """Do what was decided.

    Where the run it is about is not in this ledger, a person's answer is refused, and the safe
    default has no run to end.
    """
    run, step = item.asked.run, item.asked.step
    here = run is None or runs.is_known(transaction.connection, run)
    if not here and item.by is not None:
        raise UsageError(_elsewhere(item))
    effect = EFFECTS.get(item.kind)
    if effect is not None:
        effect(transaction, item, choice)
    if here and run is not None and step is not None:
        run_decisions.carry_out(transaction, item, run, step)


def _elsewhere(item: Item) -> Mistake:
    due = item.due[:16].replace("T", " ")
    return Mistake(
        f"run {item.asked.run}, which waits for this answer, is not in this ledger",
        where=f"item {item.id}",
        fix=f"answer where that run is; here it needs no answer and expires at {due} UTC",
    )

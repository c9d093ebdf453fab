"""What time does to the queue: a reminder, an escalation, and at the deadline the safe default."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from seatrial.ledger.tables import REVIEW
from seatrial.review.items import (
    ALL_TOLD,
    Item,
    Status,
    expire,
    fetch,
    no_answer_needed,
    untold,
)
from seatrial.review.telling import tell

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger, Transaction

REMIND = 0.5
"""The share of an item's time after which it is reminded of."""

ESCALATE = 0.8
"""The share after which it is escalated."""

_TOLD = {
    1: ("review_reminder", "Half of the time is over:"),
    2: ("review_escalated", "Little time is left:"),
}


def tend(ledger: Ledger, now: datetime) -> list[Item]:
    """Do what is due at ``now`` (UTC); the items that changed. Done again, it does nothing.

    What was told is counted with the item, and no count goes back, so a clock that does tells
    nothing twice. Every item is a transaction of its own.
    """
    with ledger.read() as connection:
        owed = [item.id for item in untold(connection) if _owed(item, now)]
    tended = [ledger.write(partial(_tend, identity=identity, now=now)) for identity in owed]
    return [item for item in tended if item is not None]


def _owed(item: Item, now: datetime) -> bool:
    if item.status is not Status.OPEN:
        return item.told < ALL_TOLD
    return item.overdue(now) or stage(item, now) > item.told


def stage(item: Item, now: datetime) -> int:
    """What should have been told of an open item by now: 0 nothing, 1 reminder, 2 escalation."""
    created, due = datetime.fromisoformat(item.created), datetime.fromisoformat(item.due)
    share = (now - created) / (due - created)
    return 2 if share >= ESCALATE else int(share >= REMIND)


def _tend(transaction: Transaction, *, identity: str, now: datetime) -> Item | None:
    """Looked at again: another process may have been quicker."""
    item = fetch(transaction.connection, identity)
    if not _owed(item, now):
        return None
    if item.overdue(now):
        return expire(transaction, item)
    if item.status is Status.OPEN:
        told = stage(item, now)
        kind, said = _TOLD[told]
        tell(transaction, kind, item, f"{said} {item.asked.question} {item.deadline}")
    else:
        # it was closed with its run, below this layer
        told = ALL_TOLD
        tell(transaction, "review_closed", item, no_answer_needed(item))
    transaction.connection.execute(REVIEW.update().where(REVIEW.c.id == identity).values(told=told))
    return fetch(transaction.connection, identity)

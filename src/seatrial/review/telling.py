"""What is told of an item: one message, queued with the change that it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.notify.outbox import Message, post

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction
    from seatrial.review.items import Item


def tell(transaction: Transaction, kind: str, item: Item, text: str) -> None:
    """Queue a message about an item: each kind once an item."""
    asked = item.asked
    data = {
        "review": item.id,
        "asks": item.kind,
        "subject": item.subject,
        "version": asked.version,
        "run": asked.run,
        "step": asked.step,
        "question": asked.question,
        "recommended": asked.recommended,
        "on_timeout": asked.on_timeout,
        "resolves": asked.resolves,
        "due": item.due,
        "status": item.status,
        "by": item.by,
        "reason": item.reason,
    }
    key = f"{kind}/{item.id}"
    post(transaction, Message(kind=kind, key=key, model=asked.model, text=text, data=data))

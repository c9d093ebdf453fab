"""What an approval lifts that kept a version from being promoted: a quarantine, or a freeze."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.registry import brakes

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction
    from seatrial.review.items import Item


def lift_quarantine(transaction: Transaction, item: Item, choice: str) -> None:
    """A model file that was rolled back may be promoted again; any other answer keeps it in."""
    model, digest = item.asked.model, item.asked.evidence.get("digest")
    if choice == "approve" and model is not None:
        brakes.lift(transaction, model, str(digest), str(item.by), str(item.reason))


def thaw(transaction: Transaction, item: Item, choice: str) -> None:
    """A model may be moved by itself again; any other answer keeps it frozen."""
    if choice == "approve" and item.asked.model is not None:
        brakes.thaw(transaction, item.asked.model, str(item.by), str(item.reason))

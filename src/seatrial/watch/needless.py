"""Which questions need no answer any more, because production has moved on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.registry import brakes
from seatrial.registry.registry import PRODUCTION
from seatrial.review import items

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction
    from seatrial.registry.project import Project
    from seatrial.review.items import Item

OF_WHAT_SERVES = frozenset(
    {"retrain", "disagreement", "watch_inconclusive", "rollback_blocked", "guardrail", "drift"}
)
"""Questions about a version that only matter while it serves."""


def close_needless(project: Project) -> None:
    """Close questions about versions that serve no more, and about models that move again."""
    with project.ledger.read() as connection:
        asked = items.waiting(connection)
    for item, why in ((item, _why(project, item)) for item in asked):
        if why:

            def change(transaction: Transaction, item: Item = item, why: str = why) -> None:
                items.close(transaction, item.kind, item.subject, why)

            project.ledger.write(change)


def _why(project: Project, item: Item) -> str:
    """Why nobody needs to answer; empty when somebody does."""
    model = item.asked.model
    if model is None:
        return ""
    if item.kind in OF_WHAT_SERVES:
        serving = project.registry.channel(model, PRODUCTION)
        if serving is not None and serving.version != item.asked.version:
            return f"version {serving.version} serves now"
    if item.kind == "storm_freeze" and item.subject == model:
        return "" if brakes.frozen(project.ledger, model) else f"{model} is no longer frozen"
    return ""

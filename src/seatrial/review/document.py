"""One item as a document: what ``reviews --json`` prints, and every other view is made from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger.tables import EVENT
from seatrial.review.items import minute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.ledger.store import Ledger
    from seatrial.review.items import Item

HASTY_S = 10.0
"""Whoever decides sooner has hardly looked at the evidence."""

_TIMES = frozenset({"since", "until"})
"""What of its evidence is a time: ISO, UTC, there."""

_EVENTS = (
    "review_opened", "review_settled", "review_decided", "review_closed", "review_expired",
)  # fmt: skip


def document(item: Item) -> dict[str, object]:
    """Every key present; ``seconds`` is how long it took to leave the queue."""
    asked = asdict(item.asked)
    about = ("question", "recommended", "options", "resolves", "on_timeout")
    where = ("model", "version", "run", "step")
    return {
        "id": item.id,
        "kind": item.kind,
        "subject": item.subject,
        **{key: asked[key] for key in (*about, *where)},
        "author": item.asked.by,
        "four_eyes": item.asked.four_eyes,
        "evidence": item.asked.evidence,
        "evidence_digest": item.evidence,
        "created": item.created,
        "due": item.due,
        "status": item.status,
        "decided": item.decided,
        "by": item.by,
        "reason": item.reason,
        "seconds": item.seconds,
        "hasty": hasty(item),
    }


def hasty(item: Item) -> bool:
    """Whether a person decided in less time than it takes to read."""
    return item.by is not None and item.seconds is not None and item.seconds < HASTY_S


def history(ledger: Ledger, item: Item) -> list[dict[str, object]]:
    """What happened to an item, oldest first, as the chain has it."""
    query = (
        sa.select(EVENT)
        .where(EVENT.c.kind.in_(_EVENTS), EVENT.c.body.contains(item.id, autoescape=True))
        .order_by(EVENT.c.seq)
    )  # most events are of other items, and need not even be decoded
    with ledger.read() as connection:
        found = [(row, json.loads(row.body)) for row in connection.execute(query)]
    return [
        {"at": row.at, "event": row.kind, "by": body.get("by"), "reason": body.get("reason")}
        for row, body in found
        if body["review"] == item.id
    ]


def measures(item: Item) -> Sequence[Mapping[str, object]]:
    """The numbers of its evidence that were held against a limit, or reported."""
    found = item.asked.evidence.get("measures")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def facts(item: Item) -> Iterator[tuple[str, str | int | float]]:
    """What else its evidence says by name, but for what the question says already."""
    for key, value in item.asked.evidence.items():
        if key in _TIMES and isinstance(value, str):
            yield key, f"{minute(value)} UTC"
            continue
        said = key == "verdict" or (
            key == "reason" and (value == item.kind or str(value) in item.asked.question)
        )
        if isinstance(value, str | int | float) and not said:
            yield key, value

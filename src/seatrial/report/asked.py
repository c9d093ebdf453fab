"""What people were asked about a run, and what they said, as the ledger has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from seatrial.ledger.tables import REVIEW

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question. While ``status`` is ``open`` it waits for one of ``options`` until ``due``.

    Times are ISO, UTC. ``decided``, ``by`` and ``reason`` tell how it left the queue.
    """

    id: str
    subject: str
    question: str
    recommended: str
    options: tuple[str, ...]
    resolves: str
    on_timeout: str
    due: str
    status: str
    decided: str | None
    by: str | None
    reason: str | None


class _Body(msgspec.Struct):
    """What of a stored question is told; it has more."""

    run: str | None
    question: str
    recommended: str
    options: tuple[str, ...]
    resolves: str
    on_timeout: str


def asked_about(ledger: Ledger, run: str) -> tuple[Asked, ...]:
    """The questions of a run, oldest first."""
    named = REVIEW.c.body.contains(run, autoescape=True)  # most need not even be decoded
    query = sa.select(REVIEW).where(named).order_by(REVIEW.c.created, REVIEW.c.id)
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    found = [(row, msgspec.json.decode(row.body, type=_Body)) for row in rows]
    return tuple(_asked(row, body) for row, body in found if body.run == run)


def _asked(row: sa.Row[Any], body: _Body) -> Asked:
    return Asked(
        id=row.id,
        subject=row.subject,
        question=body.question,
        recommended=body.recommended,
        options=body.options,
        resolves=body.resolves,
        on_timeout=body.on_timeout,
        due=row.due,
        status=row.status,
        decided=row.decided,
        by=row.by,
        reason=row.reason,
    )

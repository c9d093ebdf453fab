"""Which channels do not take what they are told: for ``seatrial status``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger.tables import DELIVERY, MESSAGE
from seatrial.notify.courier.deliveries import STALE, State, sortable

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A channel that fails, or that never took something of the last seven days.

    ``since`` is when the oldest message that it did not take was posted (ISO, UTC); ``attempts``
    and ``error`` are those of the last attempt that failed; ``waiting`` and ``given_up`` count
    messages.
    """

    channel: str
    since: str
    attempts: int
    error: str
    waiting: int
    given_up: int


def trouble(ledger: Ledger) -> list[Trouble]:
    """The channels in trouble, by name; none when everybody took everything.

    A failure counts until the same channel takes something; what was given up counts for seven
    days, since nobody will try again.
    """
    query = (
        sa.select(
            DELIVERY.c.channel,
            DELIVERY.c.state,
            DELIVERY.c.attempts,
            DELIVERY.c.error,
            DELIVERY.c.at,
            MESSAGE.c.at.label("posted"),
        )
        .join(MESSAGE, MESSAGE.c.id == DELIVERY.c.message)
        .where(DELIVERY.c.attempts > 0, DELIVERY.c.at >= sortable(ledger.clock() - STALE))
        .order_by(DELIVERY.c.channel, DELIVERY.c.at)
    )
    rows: dict[str, list[Any]] = {}
    with ledger.read() as connection:
        for row in connection.execute(query):
            rows.setdefault(row.channel, []).append(row)
    found = (_of_one(channel, tried) for channel, tried in rows.items())
    return [trouble for trouble in found if trouble is not None]


def _of_one(channel: str, tried: list[Any]) -> Trouble | None:
    """``tried`` holds what was tried, the last attempt last."""
    failing = [row for row in tried if row.state != State.SENT]
    given_up = sum(row.state == State.GIVEN_UP for row in failing)
    if tried[-1].state == State.SENT and not given_up:
        return None
    last = failing[-1]
    return Trouble(
        channel=channel,
        since=min(row.posted for row in failing),
        attempts=last.attempts,
        error=last.error or "",
        waiting=len(failing) - given_up,
        given_up=given_up,
    )

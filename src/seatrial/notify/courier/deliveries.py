"""What is to be brought to whom, when next, and what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger.tables import DELIVERY, EVENT, MESSAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from seatrial.ledger.store import Ledger, Transaction
    from seatrial.notify import Listener

PAUSES_S = (10.0, 60.0, 300.0, 1800.0, *[3600.0] * 23)
"""Between one attempt and the next: some 24 hours in all, then it is given up."""

GRACE = timedelta(hours=1)
"""A channel that is new hears what was told so long before anybody saw it, and nothing older."""

STALE = timedelta(days=7)
"""What nobody could even try for so long is not told any more."""

SEEN = "notifier_seen"
"""The event that notes a channel when a courier first sees it."""


class State(StrEnum):
    """Of a delivery."""

    DUE = "due"
    SENT = "sent"
    GIVEN_UP = "given_up"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A message that is to be brought to a channel; ``attempts`` were made before."""

    channel: str
    message: str
    kind: str
    model: str | None
    posted: str
    text: str
    data: Mapping[str, Any]
    attempts: int


def sortable(time: datetime) -> str:
    """UTC to the microsecond: texts that sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def seen(ledger: Ledger, listeners: Iterable[Listener]) -> dict[str, datetime]:
    """Since when each channel is known. One that is new is noted in the chain."""
    names = sorted({listener.name for listener in listeners})
    with ledger.read() as connection:
        known = _seen(connection)
    missing = [name for name in names if name not in known]

    def change(transaction: Transaction) -> dict[str, datetime]:
        noted = _seen(transaction.connection)
        for name in missing:
            if name not in noted:
                noted[name] = datetime.fromisoformat(transaction.append(SEEN, {"channel": name}).at)
        return noted

    return ledger.write(change) if missing else known


def expand(ledger: Ledger, listeners: Sequence[Listener], since: Mapping[str, datetime]) -> int:
    """Make a delivery of every message for every channel that is to hear it, once; how many.

    What a channel is not told, by its ``on``, is decided here too: a later edit of the file
    brings no message back.
    """
    now = ledger.clock()
    # a channel that was first seen later than now was seen by a clock that was put back since
    begin = {name: max(min(at, now) - GRACE, now - STALE) for name, at in since.items()}

    def unheard(connection: sa.Connection) -> list[tuple[Listener, str, str]]:
        return [
            (listener, row.id, row.kind)
            for listener in listeners
            for row in connection.execute(_unheard(listener, begin[listener.name]))
        ]

    with ledger.read() as connection:
        if not unheard(connection):
            return 0

    def change(transaction: Transaction) -> int:
        missing = unheard(transaction.connection)
        for listener, message, kind in missing:
            asked = kind in listener.channel.on
            transaction.connection.execute(
                DELIVERY.insert().values(
                    message=message,
                    channel=listener.name,
                    state=State.DUE if asked else State.NOT_ASKED,
                    attempts=0,
                    due=sortable(now) if asked else None,
                    at=sortable(now),
                    error=None,
                )
            )
        return len(missing)

    return ledger.write(change)


def due(ledger: Ledger, channels: Collection[str]) -> list[Due]:
    """What is due now, for each channel what was never tried first, and then the oldest."""
    query = (
        _waiting(ledger.clock(), channels)
        .add_columns(MESSAGE)
        .join(MESSAGE, MESSAGE.c.id == DELIVERY.c.message)
        .where(_ripe(ledger.clock()))
        .order_by(DELIVERY.c.attempts, MESSAGE.c.at, MESSAGE.c.id)
    )
    with ledger.read() as connection:
        return [_due(row) for row in connection.execute(query)]


def next_due(ledger: Ledger, channels: Collection[str]) -> datetime | None:
    """When something is due next; ``None`` while nothing waits."""
    waiting = _waiting(ledger.clock(), channels).subquery()
    with ledger.read() as connection:
        found = connection.execute(sa.select(sa.func.min(waiting.c.due))).scalar()
    return datetime.fromisoformat(found) if found else None


def claim(ledger: Ledger, told: Due, lasts_s: float) -> bool:
    """Whether it is the caller's to bring. To others it is due again when the claim has ended.

    Other couriers are at work only on other machines: on one, a kernel lock has settled it.
    """
    if not ledger.shared:
        return True

    def change(transaction: Transaction) -> bool:
        now = datetime.fromisoformat(transaction.at)
        mine = transaction.connection.execute(
            DELIVERY.update()
            .where(
                DELIVERY.c.message == told.message,
                DELIVERY.c.channel == told.channel,
                DELIVERY.c.state == State.DUE,
                DELIVERY.c.attempts == told.attempts,
                _ripe(now),
            )
            .values(due=sortable(now + timedelta(seconds=lasts_s)))
        )
        return mine.rowcount == 1

    return ledger.write(change)


def sent(ledger: Ledger, told: Due) -> None:
    """Note that a channel has taken it."""
    _note(ledger, told, state=State.SENT, due=None, error=None)


def failed(ledger: Ledger, told: Due, error: str, *, for_good: bool = False) -> State:
    """Note that it has not; whether it is tried again or given up."""
    if for_good or told.attempts >= len(PAUSES_S):
        _note(ledger, told, state=State.GIVEN_UP, due=None, error=error)
        return State.GIVEN_UP
    again = ledger.clock() + timedelta(seconds=PAUSES_S[told.attempts])
    _note(ledger, told, state=State.DUE, due=sortable(again), error=error)
    return State.DUE


def _note(ledger: Ledger, told: Due, **values: str | None) -> None:
    # who fails when another machine has told it meanwhile has nothing to say
    unless = () if values["state"] == State.SENT else (DELIVERY.c.state != State.SENT,)

    def change(transaction: Transaction) -> None:
        transaction.connection.execute(
            DELIVERY.update()
            .where(
                DELIVERY.c.message == told.message,
                DELIVERY.c.channel == told.channel,
                *unless,
            )
            .values(attempts=told.attempts + 1, at=sortable(ledger.clock()), **values)
        )

    ledger.write(change)


def _seen(connection: sa.Connection) -> dict[str, datetime]:
    query = sa.select(EVENT.c.at, EVENT.c.body).where(EVENT.c.kind == SEEN)
    return {
        json.loads(row.body)["channel"]: datetime.fromisoformat(row.at)
        for row in connection.execute(query)
    }


def _unheard(listener: Listener, since: datetime) -> sa.Select[Any]:
    """Messages for a channel of which it has no delivery."""
    heard = sa.select(DELIVERY.c.message).where(DELIVERY.c.channel == listener.name)
    return (
        sa.select(MESSAGE.c.id, MESSAGE.c.kind)
        .where(
            MESSAGE.c.at >= sortable(since),
            sa.or_(MESSAGE.c.model.is_(None), MESSAGE.c.model == listener.model),
            MESSAGE.c.id.not_in(heard),
        )
        .order_by(MESSAGE.c.at, MESSAGE.c.id)
    )


def _waiting(now: datetime, channels: Collection[str]) -> sa.Select[Any]:
    return sa.select(DELIVERY.c.channel, DELIVERY.c.attempts, DELIVERY.c.due).where(
        DELIVERY.c.state == State.DUE,
        DELIVERY.c.channel.in_(list(channels)),
        DELIVERY.c.at >= sortable(now - STALE),
    )


def _ripe(now: datetime) -> sa.ColumnElement[bool]:
    """Its time has come; or is so far off that the clock must have been put back since."""
    farthest = now + timedelta(seconds=max(PAUSES_S))
    return sa.or_(DELIVERY.c.due <= sortable(now), DELIVERY.c.due > sortable(farthest))


def _due(row: sa.Row[Any]) -> Due:
    body = json.loads(row.body)
    return Due(
        channel=row.channel,
        message=row.id,
        kind=row.kind,
        model=row.model,
        posted=row.at,
        text=body["text"],
        data=body["data"],
        attempts=row.attempts,
    )

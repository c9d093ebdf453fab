"""Which scheduled times were fired, skipped or queued: each once, however many schedulers look."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.errors import Mistake, SupersededError
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import EVENT, FIRING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.ledger.store import Ledger, Transaction


class State(StrEnum):
    """Of a scheduled time."""

    FIRED = "fired"
    QUEUED = "queued"
    SKIPPED = "skipped"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What became of one scheduled time. ``run`` is ``None`` until its run has begun."""

    pipeline: str
    time: datetime
    state: State
    run: str | None
    by: str
    at: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """The time whose run is to begin; ``by`` is who wants that.

    Without, it is a job: any of them may begin what a scheduler has fired.
    """

    time: datetime
    by: str | None = None


def seen(ledger: Ledger, pipeline: str, schedule: str | None, timezone: str) -> datetime:
    """Since when a pipeline has this schedule, as far as any scheduler knows.

    Noted at the first look, so that no time from before it ever counts as missed. A pipeline that
    never had a schedule is not noted.
    """
    said = {"pipeline": pipeline, "schedule": schedule, "timezone": timezone}
    now = ledger.clock()
    with ledger.read() as connection:
        since, known = _last_seen(connection, pipeline)
    if known is None and schedule is None:
        return now
    # a moment after now: the clock was put back, and what it said then counts no more
    if since is not None and known == said and since <= now:
        return since

    def change(transaction: Transaction) -> datetime:
        since, known = _last_seen(transaction.connection, pipeline)
        if since is not None and known == said and since <= now:
            return since  # another scheduler was quicker
        return datetime.fromisoformat(transaction.append("schedule_seen", said).at)

    return ledger.write(change)


def fire(
    ledger: Ledger,
    pipeline: str,
    time: datetime,
    by: str,
    *,
    state: State = State.FIRED,
    reason: str | None = None,
) -> bool:
    """Note what becomes of a scheduled time; whether this caller was the first to do so."""
    key = _key(time)

    def change(transaction: Transaction) -> bool:
        connection = transaction.connection
        known = sa.select(FIRING.c.state).where(FIRING.c.pipeline == pipeline, FIRING.c.time == key)
        if connection.execute(known).first() is not None:
            return False
        transaction.append(
            f"schedule_{state}", {"pipeline": pipeline, "time": key, "by": by, "reason": reason}
        )
        connection.execute(
            FIRING.insert().values(
                pipeline=pipeline,
                time=key,
                state=state,
                by=by,
                at=transaction.at,
                reason=reason,
            )
        )
        return True

    return ledger.write(change)


def demand_free(transaction: Transaction, pipeline: str, turn: Turn) -> None:
    """:class:`SupersededError` when the run of a time has begun, or must not begin."""
    row = _row(transaction, pipeline, turn.time)
    if row is None:
        return
    mine = row.by == turn.by if turn.by else (row.state == State.FIRED and row.run is None)
    if not mine:
        run = f": run {row.run}" if row.run else ""
        raise SupersededError(
            Mistake(
                f"{row.by} has {row.state} this time{run}",
                where=f"{pipeline} at {_key(turn.time)}",
                fix="nothing to do: of a scheduled time there is one run",
            )
        )


def give(transaction: Transaction, pipeline: str, turn: Turn, run: str) -> None:
    """Note, in the transaction that begins a run, which time it is for."""
    row = _row(transaction, pipeline, turn.time)
    told = {"pipeline": pipeline, "time": _key(turn.time)}
    if row is None:
        fired = {**told, "by": turn.by, "reason": None}
        transaction.append(f"schedule_{State.FIRED}", fired)
        transaction.connection.execute(
            FIRING.insert().values(**fired, state=State.FIRED, at=transaction.at)
        )
    if row is None or row.run != run:
        reason = row.reason if row else None
        said = {"state": State.FIRED, "run": run, "reason": reason}
        transaction.append("schedule_settled", {**told, **said})
        transaction.connection.execute(
            FIRING.update().where(*_place(pipeline, turn.time)).values(**said)
        )


def settle(
    ledger: Ledger,
    pipeline: str,
    time: datetime,
    state: State,
    run: str | None = None,
    reason: str | None = None,
) -> bool:
    """Note what became of a time further on; whether that changed anything.

    A run that was noted stays noted, and a time that was skipped or replaced stays that.
    """
    key, place = _key(time), _place(pipeline, time)

    def change(transaction: Transaction) -> bool:
        connection = transaction.connection
        row = connection.execute(sa.select(FIRING).where(*place)).one()
        told = {"state": state, "run": run or row.run, "reason": reason or row.reason}
        closed = row.state in {State.SKIPPED, State.REPLACED}
        if closed or told == {"state": row.state, "run": row.run, "reason": row.reason}:
            return False
        transaction.append("schedule_settled", {"pipeline": pipeline, "time": key, **told})
        connection.execute(FIRING.update().where(*place).values(**told))
        return True

    return ledger.write(change)


def get(ledger: Ledger, pipeline: str, time: datetime) -> Firing | None:
    """What became of one time; ``None`` when nobody noted it."""
    return _first(ledger, FIRING.c.pipeline == pipeline, FIRING.c.time == _key(time))


def last(ledger: Ledger, pipeline: str, until: datetime | None = None) -> Firing | None:
    """The latest time that was noted; with ``until``, of those not after it."""
    bound = [FIRING.c.time <= _key(until)] if until else []
    return _first(ledger, FIRING.c.pipeline == pipeline, *bound)


def queued(ledger: Ledger, pipeline: str) -> Firing | None:
    """The time that waits for the last run to end."""
    return _first(ledger, FIRING.c.pipeline == pipeline, FIRING.c.state == State.QUEUED)


def unstarted(ledger: Ledger, pipeline: str) -> Firing | None:
    """The time that was fired but whose run has not begun."""
    return _first(
        ledger,
        FIRING.c.pipeline == pipeline,
        FIRING.c.state == State.FIRED,
        FIRING.c.run.is_(None),
    )


def latest(ledger: Ledger, pipeline: str, limit: int = 5) -> list[Firing]:
    """What was noted of a pipeline, the latest time first."""
    return _found(ledger, FIRING.c.pipeline == pipeline, limit=limit)


def of_runs(ledger: Ledger, runs: Iterable[str]) -> dict[str, Firing]:
    """Those of these runs that a schedule started, each with the latest time that it is for."""
    found = _found(ledger, FIRING.c.run.in_(list(runs)))
    return {firing.run: firing for firing in reversed(found) if firing.run}


def _first(ledger: Ledger, *conditions: sa.ColumnElement[bool]) -> Firing | None:
    return next(iter(_found(ledger, *conditions, limit=1)), None)


def _found(
    ledger: Ledger, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Firing]:
    query = sa.select(FIRING).where(*conditions).order_by(FIRING.c.time.desc()).limit(limit)
    with ledger.read() as connection:
        return [
            Firing(
                pipeline=row.pipeline,
                time=datetime.fromisoformat(row.time),
                state=State(row.state),
                run=row.run,
                by=row.by,
                at=row.at,
                reason=row.reason,
            )
            for row in connection.execute(query)
        ]


def _last_seen(
    connection: sa.Connection, pipeline: str
) -> tuple[datetime | None, dict[str, object] | None]:
    """The moment and the body of the last event that told of the pipeline's schedule."""
    named = canonical({"pipeline": pipeline})[1:-1]  # as every event spells it
    query = (
        sa.select(EVENT.c.at, EVENT.c.body)
        .where(EVENT.c.kind == "schedule_seen", EVENT.c.body.contains(named, autoescape=True))
        .order_by(EVENT.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return (None, None) if row is None else (datetime.fromisoformat(row.at), json.loads(row.body))


def _row(transaction: Transaction, pipeline: str, time: datetime) -> sa.Row[Any] | None:
    query = sa.select(FIRING).where(*_place(pipeline, time))
    return transaction.connection.execute(query).first()


def _place(pipeline: str, time: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return FIRING.c.pipeline == pipeline, FIRING.c.time == _key(time)


def _key(time: datetime) -> str:
    """UTC to the second: texts that sort as the times do."""
    return time.astimezone(UTC).isoformat(timespec="seconds")

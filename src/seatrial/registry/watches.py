"""Which versions are being watched after they were promoted, what is known so far, how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger.store import canonical
from seatrial.ledger.tables import MOVE, RUN, STEP, TRAIL, WATCH
from seatrial.registry.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.store import Ledger, Transaction

BY_WATCH = "watch "
"""How the ``by`` of a move begins that a watch made."""


class State(StrEnum):
    """Of a watch; all but the first have ended."""

    WATCHING = "watching"
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """``version`` in production, compared with ``against``, which it replaced.

    ``policy`` is what was installed with the promotion. Times are ISO, UTC; ``until`` moves when
    the watch is extended; ``closed`` is None while it lasts.
    """

    id: str
    model: str
    version: int
    against: int
    opened: str
    until: str
    state: State
    closed: str | None
    reason: str | None
    policy: Mapping[str, Any]


def open_watch(
    transaction: Transaction,
    place: int,
    model: str,
    version: int,
    against: int,
    policy: Mapping[str, Any],
) -> Watch:
    """Begin to watch, in the transaction whose event ``place`` moved production."""
    began = datetime.fromisoformat(transaction.at)
    hours = Policy.from_json(policy).hours
    watch = Watch(
        id=f"{model}-{place}",
        model=model,
        version=version,
        against=against,
        opened=transaction.at,
        until=(began + timedelta(hours=hours)).isoformat(),
        state=State.WATCHING,
        closed=None,
        reason=None,
        policy=policy,
    )
    told = {"watch": watch.id, "model": model, "version": version, "against": against}
    transaction.append("watch_opened", {**told, "until": watch.until, "policy": policy})
    transaction.connection.execute(
        WATCH.insert().values(
            id=watch.id,
            model=model,
            version=version,
            against=against,
            opened=watch.opened,
            until=watch.until,
            state=watch.state,
            policy=canonical(policy),
        )
    )
    return watch


def extend(transaction: Transaction, watch: str, until: datetime, reason: str) -> bool:
    """Let a watch last longer; whether it was open, and was to end earlier."""
    later = until.isoformat()
    moved = transaction.connection.execute(
        WATCH.update()
        .where(WATCH.c.id == watch, WATCH.c.closed.is_(None), WATCH.c.until < later)
        .values(until=later, reason=reason)
    )
    if moved.rowcount:
        body = {"watch": watch, "until": later, "reason": reason}
        transaction.append("watch_extended", body)
    return bool(moved.rowcount)


def close(
    transaction: Transaction, watch: str, state: State, reason: str, evidence: str | None = None
) -> bool:
    """End a watch; whether it was open. ``evidence`` is the digest of what it had seen.

    A run that waited for its end has nothing to wait for any more, and may look at once.
    """
    ended = transaction.connection.execute(
        WATCH.update()
        .where(WATCH.c.id == watch, WATCH.c.closed.is_(None))
        .values(state=state, closed=transaction.at, reason=reason)
    )
    if ended.rowcount:
        body = {"watch": watch, "state": state, "reason": reason, "evidence": evidence}
        transaction.append("watch_closed", body)
        _wake(transaction, watch)
    return bool(ended.rowcount)


def _wake(transaction: Transaction, watch: str) -> None:
    """Whoever waits to promote the model is due now."""
    model = sa.select(WATCH.c.model).where(WATCH.c.id == watch).scalar_subquery()
    runs = sa.select(RUN.c.id).where(RUN.c.model == model, RUN.c.ended.is_(None))
    transaction.connection.execute(
        STEP.update()
        .where(STEP.c.run.in_(runs), STEP.c.state == "waiting", STEP.c.address.contains(".promote"))
        .values(due=transaction.at)
    )


def supersede(transaction: Transaction, model: str, reason: str) -> None:
    """End the model's watch because production moves to something else."""
    for watch in _open(transaction.connection, model):
        close(transaction, watch.id, State.SUPERSEDED, reason)


def current(ledger: Ledger, model: str) -> Watch | None:
    """The watch of a model that lasts now."""
    with ledger.read() as connection:
        return next(iter(_open(connection, model)), None)


def under_way(ledger: Ledger) -> list[Watch]:
    """Every watch that lasts now, oldest first."""
    with ledger.read() as connection:
        return _open(connection)


def latest(ledger: Ledger, model: str, version: int | None = None) -> Watch | None:
    """The newest watch of a model, or of one of its versions."""
    query = sa.select(WATCH).where(WATCH.c.model == model)
    if version is not None:
        query = query.where(WATCH.c.version == version)
    with ledger.read() as connection:
        found = [_watch(row) for row in connection.execute(query)]
    return max(found, key=lambda watch: _place(watch.id), default=None)


def of_version(ledger: Ledger, model: str, version: int) -> list[Watch]:
    """Every watch of a version, oldest first: it may have been promoted more than once."""
    query = sa.select(WATCH).where(WATCH.c.model == model, WATCH.c.version == version)
    with ledger.read() as connection:
        found = [_watch(row) for row in connection.execute(query)]
    return sorted(found, key=lambda watch: _place(watch.id))


def known_good(connection: sa.Connection, model: str) -> list[int]:
    """Versions that passed a whole watch, the latest first."""
    query = sa.select(WATCH.c.id, WATCH.c.version).where(
        WATCH.c.model == model, WATCH.c.state == State.PASSED
    )
    passed = sorted(connection.execute(query), key=lambda row: _place(row.id), reverse=True)
    return list(dict.fromkeys(row.version for row in passed))


def rollbacks(connection: sa.Connection, model: str, since: datetime) -> list[str]:
    """When production was rolled back by a watch since then, oldest first."""
    query = (
        sa.select(MOVE.c.at)
        .where(
            MOVE.c.model == model,
            MOVE.c.event == "rollback",
            MOVE.c.by.startswith(BY_WATCH),
            MOVE.c.at >= since.isoformat(),
        )
        .order_by(MOVE.c.seq)
    )
    return list(connection.execute(query).scalars())


def last_event(connection: sa.Connection, model: str) -> str | None:
    """How what serves came there: ``promote`` or ``rollback``; None when nothing serves."""
    query = (
        sa.select(MOVE.c.event)
        .where(MOVE.c.model == model, MOVE.c.channel == "production")
        .order_by(MOVE.c.seq.desc())
        .limit(1)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def save(transaction: Transaction, watch: str, replica: str, document: Mapping[str, Any]) -> None:
    """Keep what one place has seen so far, in place of what it kept before. No event."""
    place = TRAIL.c.watch == watch, TRAIL.c.replica == replica
    transaction.connection.execute(TRAIL.delete().where(*place))
    transaction.connection.execute(
        TRAIL.insert().values(
            watch=watch, replica=replica, at=transaction.at, body=canonical(document)
        )
    )


def trails(ledger: Ledger, watch: str) -> dict[str, Mapping[str, Any]]:
    """What each place has seen so far."""
    query = sa.select(TRAIL).where(TRAIL.c.watch == watch).order_by(TRAIL.c.replica)
    with ledger.read() as connection:
        return {row.replica: json.loads(row.body) for row in connection.execute(query)}


def _open(connection: sa.Connection, model: str | None = None) -> list[Watch]:
    query = sa.select(WATCH).where(WATCH.c.closed.is_(None)).order_by(WATCH.c.opened)
    if model is not None:
        query = query.where(WATCH.c.model == model)
    return [_watch(row) for row in connection.execute(query)]


def _place(watch: str) -> int:
    """When a watch was opened, by the chain: times may go back."""
    return int(watch.rpartition("-")[2])


def _watch(row: sa.Row[tuple[object, ...]]) -> Watch:
    known = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    policy = json.loads(known["policy"])
    return Watch(**{**known, "state": State(known["state"]), "policy": policy})

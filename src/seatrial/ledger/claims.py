"""Who performs a step: claimed, kept alive, recorded, given back; one owner at a time.

A step is claimed with a fence that only grows. Whoever lost a step (its lease ran out, another
claimed it) can no longer record anything for it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, SupersededError
from seatrial.ledger.runs import State, decoded, demand_open
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import REUSE, RUN, STEP
from seatrial.outcome import Outcome, Wait, as_json_can_say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.ledger.store import Ledger, Transaction

LEASE_S = 60.0
"""How long another machine's claim holds without a heartbeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to perform a step, until the lease ends."""

    run: str
    address: str
    owner: str
    fence: int
    attempt: int


def claim(
    ledger: Ledger, run: str, address: str, *, owner: str, host: str, release: str = ""
) -> Claim | datetime | None:
    """Claim a step: the claim; or when to come back; or ``None`` when the step is done.

    One comes back to a step that waits, or that another machine has claimed. Raises
    :class:`SupersededError` when the run has ended.
    The caller holds this host's kernel lock, so a claim of this host is a dead process's.
    ``release`` is the seatrial that performs it.
    """

    def change(transaction: Transaction) -> Claim | datetime | None:
        connection = transaction.connection
        demand_open(connection, run)
        row = connection.execute(
            sa.select(STEP).where(STEP.c.run == run, STEP.c.address == address)
        ).one()
        if row.state == "done":
            return None
        if row.state == "waiting" and row.outcome is not None:
            _take_over(connection, row)
            return None
        now = datetime.fromisoformat(transaction.at)
        for held, until in (
            (row.state == "waiting", row.due),
            (row.state == "running" and row.host != host, row.lease_until),
        ):
            if held and until and datetime.fromisoformat(until) > now:
                return datetime.fromisoformat(until)
        got = Claim(
            run=run, address=address, owner=owner, fence=row.fence + 1, attempt=row.attempt + 1
        )
        started = {"run": run, "step": address, "attempt": got.attempt, "owner": owner}
        transaction.append("step_started", {**started, "seatrial": release})
        connection.execute(
            _of(got, fenced=False).values(
                state="running",
                attempt=got.attempt,
                owner=owner,
                host=host,
                fence=got.fence,
                lease_until=(now + timedelta(seconds=LEASE_S)).isoformat(),
            )
        )
        connection.execute(RUN.update().where(RUN.c.id == run).values(state=State.RUNNING))
        return got

    return ledger.write(change)


def _take_over(connection: sa.Connection, step: sa.Row[tuple[object, ...]]) -> None:
    """Whoever goes on with the run has met the step that a person settled."""
    connection.execute(
        STEP.update()
        .where(STEP.c.run == step.run, STEP.c.address == step.address)
        .values(state="done", due=None)
    )
    connection.execute(RUN.update().where(RUN.c.id == step.run).values(state=State.RUNNING))


def fenced(ledger: Ledger, claimed: Claim) -> Ledger:
    """The ledger as the step itself writes to it: :class:`SupersededError` once it is lost.

    What a step does beside saying an outcome (it registers a version, moves a channel) must not
    be done late either, by a process that slept while another did the step in its place.
    """
    query = sa.select(STEP.c.fence).where(
        STEP.c.run == claimed.run, STEP.c.address == claimed.address
    )

    def demand(transaction: Transaction) -> None:
        demand_open(transaction.connection, claimed.run)
        if transaction.connection.execute(query).scalar_one() != claimed.fence:
            raise _lost(claimed)

    return ledger.demanding(demand)


def heartbeat(ledger: Ledger, claimed: Claim) -> None:
    """Prolong the lease."""

    def change(transaction: Transaction) -> None:
        until = datetime.fromisoformat(transaction.at) + timedelta(seconds=LEASE_S)
        transaction.connection.execute(_of(claimed).values(lease_until=until.isoformat()))

    ledger.write(change)


def finish(
    ledger: Ledger,
    claimed: Claim,
    outcome: Outcome | Wait,
    seconds: float,
    reuse_key: str | None = None,
    also: Callable[[Transaction], None] = lambda _transaction: None,
) -> None:
    """Record what a step said, or until when it waits; ``also`` changes what follows from it."""
    ids = {"run": claimed.run, "step": claimed.address}
    if isinstance(outcome, Wait):
        until = outcome.until.isoformat()
        values: dict[str, object] = {"state": "waiting", "due": until, "reason": outcome.reason}
        event = ("step_waiting", {**ids, "until": until, "reason": outcome.reason})
    else:
        text = canonical(asdict(as_json_can_say(outcome)))
        values = {"state": "done", "outcome": text, "reason": outcome.reason, "due": None}
        event = ("step_finished", {**ids, "outcome": json.loads(text)})

    def change(transaction: Transaction) -> None:
        _record(transaction, claimed, {**values, "seconds": seconds}, event)
        if reuse_key and "outcome" in values:
            transaction.connection.execute(REUSE.delete().where(REUSE.c.key == reuse_key))
            transaction.connection.execute(
                REUSE.insert().values(key=reuse_key, outcome=values["outcome"])
            )
        also(transaction)

    ledger.write(change)


def settle(
    transaction: Transaction, run: str, address: str, outcome: Outcome, by: str | None
) -> None:
    """Record what a person decided of a step; the step waits for whoever goes on with the run."""
    text = canonical(asdict(as_json_can_say(outcome)))
    ids = {"run": run, "step": address}
    transaction.append("step_finished", {**ids, "outcome": json.loads(text), "by": by})
    values = {"outcome": text, "reason": outcome.reason}
    _wait_for_anyone(transaction, run, address, values)


def ask_again(transaction: Transaction, run: str, address: str, why: str) -> None:
    """Forget what a step said: it waits for whoever goes on with the run, and is done anew."""
    transaction.append("step_asked_again", {"run": run, "step": address, "reason": why})
    _wait_for_anyone(transaction, run, address, {"outcome": None, "reason": why})


def _wait_for_anyone(
    transaction: Transaction, run: str, address: str, values: Mapping[str, object]
) -> None:
    transaction.connection.execute(
        STEP.update()
        .where(STEP.c.run == run, STEP.c.address == address)
        .values(state="waiting", due=transaction.at, **values)
    )


def release(ledger: Ledger, claimed: Claim, reason: str) -> None:
    """Give a step back after an error, with the reason; it can be claimed again."""
    event = ("step_errored", {"run": claimed.run, "step": claimed.address, "reason": reason})
    ledger.write(lambda t: _record(t, claimed, {"state": "ready", "reason": reason}, event))


def _record(
    transaction: Transaction,
    claimed: Claim,
    values: Mapping[str, object],
    event: tuple[str, Mapping[str, object]],
) -> None:
    demand_open(transaction.connection, claimed.run)
    changed = transaction.connection.execute(
        _of(claimed).values(**values, owner=None, host=None, lease_until=None)
    )
    if changed.rowcount != 1:
        raise _lost(claimed)
    transaction.append(*event)


def _lost(claimed: Claim) -> SupersededError:
    return SupersededError(
        Mistake(
            f"step {claimed.address} was taken over by another process",
            where=f"run {claimed.run}",
            fix="nothing to do: the other process goes on with it",
        )
    )


def reusable(ledger: Ledger, key: str) -> Outcome | None:
    """What an equal step said before."""
    with ledger.read() as connection:
        text = connection.execute(sa.select(REUSE.c.outcome).where(REUSE.c.key == key)).scalar()
    return decoded(text)


def _of(claimed: Claim, *, fenced: bool = True) -> sa.Update:
    query = STEP.update().where(STEP.c.run == claimed.run, STEP.c.address == claimed.address)
    return query.where(STEP.c.fence == claimed.fence) if fenced else query

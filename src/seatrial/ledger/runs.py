"""Runs and their steps: begun, claimed, parked, finished; at most one owner of a step at a time.

A step is claimed with a fence that only grows. Whoever lost a step (its lease ran out, another
claimed it) can no longer record anything for it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from seatrial.errors import Mistake, SupersededError, UsageError
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import CHANNEL, MOVE, REUSE, RUN, STEP
from seatrial.outcome import Outcome, Verdict, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.ledger.store import Ledger, Transaction

LEASE_S = 60.0
"""How long another machine's claim holds without a heartbeat."""


class State(StrEnum):
    """Of a run; those from ``FINISHED`` on have ended."""

    RUNNING = "running"
    WAITING = "waiting"
    STOPPED = "stopped"
    REVIEW = "review"
    FINISHED = "finished"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a pipeline. ``pinned`` is the version in production when it began."""

    id: str
    pipeline: str
    key: str
    state: State
    verdict: Verdict | None
    started: str
    ended: str | None
    model: str
    pinned: int | None
    pinned_revision: int
    production_after: int | None
    request: Mapping[str, object]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task of a run, as it stands. ``state`` is ready, running, waiting or done."""

    run: str
    address: str
    position: int
    state: str
    attempt: int
    owner: str | None
    host: str | None
    fence: int
    lease_until: str | None
    due: str | None
    reason: str | None
    outcome: Outcome | None
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to perform a step, until the lease ends."""

    run: str
    address: str
    owner: str
    fence: int
    attempt: int


def begin(
    ledger: Ledger,
    *,
    identity: str,
    pipeline: str,
    key: str,
    model: str,
    request: Mapping[str, object],
    steps: Sequence[str],
) -> tuple[Run, bool]:
    """The unfinished run with this key, resumed (``True``), or a new one that pins production.

    Any other unfinished run of the pipeline is closed as superseded.
    """

    def change(transaction: Transaction) -> tuple[str, bool]:
        connection = transaction.connection
        unfinished = connection.execute(
            sa.select(RUN).where(RUN.c.pipeline == pipeline, RUN.c.ended.is_(None))
        ).all()
        resumed = next((r.id for r in unfinished if r.key == key and _current(connection, r)), None)
        for row in unfinished:
            if row.id != resumed:
                why = f"superseded by run {identity if resumed is None else resumed}"
                _end(transaction, row.id, State.SUPERSEDED, row.verdict, None, [why])
        if resumed:
            _reopen(transaction, resumed)
            return resumed, True
        production = connection.execute(
            sa.select(CHANNEL).where(CHANNEL.c.model == model, CHANNEL.c.channel == "production")
        ).first()
        pinned = production.version if production else None
        transaction.append(
            "run_started",
            {"run": identity, "pipeline": pipeline, "key": key, "model": model, "pinned": pinned},
        )
        connection.execute(
            RUN.insert().values(
                id=identity,
                pipeline=pipeline,
                key=key,
                state=State.RUNNING,
                started=transaction.at,
                model=model,
                pinned=pinned,
                pinned_revision=production.revision if production else 0,
                request=canonical(request),
                errors="[]",
            )
        )
        connection.execute(
            STEP.insert(),
            [
                {
                    "run": identity,
                    "address": address,
                    "position": position,
                    "state": "ready",
                    "attempt": 0,
                    "fence": 0,
                }
                for position, address in enumerate(steps)
            ],
        )
        return identity, False

    found, resumed = ledger.write(change)
    return get(ledger, found), resumed


def _current(connection: sa.Connection, run: sa.Row[tuple[object, ...]]) -> bool:
    """Whether what the run pinned still stands, or was moved by the run itself."""
    channel = connection.execute(
        sa.select(CHANNEL).where(CHANNEL.c.model == run.model, CHANNEL.c.channel == "production")
    ).first()
    if (channel.revision if channel else 0) == run.pinned_revision:
        return True
    last = connection.execute(
        sa.select(MOVE.c.once)
        .where(MOVE.c.model == run.model, MOVE.c.channel == "production")
        .order_by(MOVE.c.seq.desc())
        .limit(1)
    ).scalar()
    return bool(last and str(last).startswith(f"{run.id}/"))


def _reopen(transaction: Transaction, run: str) -> None:
    """A step that could not say is asked again: production or the code may have changed."""
    connection = transaction.connection
    transaction.append("run_resumed", {"run": run})
    rows = connection.execute(sa.select(STEP).where(STEP.c.run == run, STEP.c.state == "done"))
    for row in rows.all():
        if json.loads(row.outcome)["verdict"] == Verdict.INCONCLUSIVE:
            connection.execute(
                STEP.update()
                .where(STEP.c.run == run, STEP.c.address == row.address)
                .values(state="ready", outcome=None, reason=None)
            )
    connection.execute(
        RUN.update().where(RUN.c.id == run).values(state=State.RUNNING, verdict=None, errors="[]")
    )


def claim(
    ledger: Ledger, run: str, address: str, *, owner: str, host: str
) -> Claim | datetime | None:
    """Claim a step: the claim; or when to come back; or ``None`` when the step is done.

    One comes back to a step that waits, or that another machine has claimed. Raises
    :class:`SupersededError` when the run has ended.
    The caller holds this host's kernel lock, so a claim of this host is a dead process's.
    """

    def change(transaction: Transaction) -> Claim | datetime | None:
        connection = transaction.connection
        _demand_open(connection, run)
        row = connection.execute(
            sa.select(STEP).where(STEP.c.run == run, STEP.c.address == address)
        ).one()
        if row.state == "done":
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
        transaction.append(
            "step_started", {"run": run, "step": address, "attempt": got.attempt, "owner": owner}
        )
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


def heartbeat(ledger: Ledger, claimed: Claim) -> None:
    """Prolong the lease."""
    until = (ledger.clock() + timedelta(seconds=LEASE_S)).isoformat()
    ledger.write(
        lambda transaction: (
            transaction.connection.execute(_of(claimed).values(lease_until=until)).rowcount
        )
    )


def finish(
    ledger: Ledger,
    claimed: Claim,
    outcome: Outcome | Wait,
    seconds: float,
    reuse_key: str | None = None,
) -> None:
    """Record what a step said, or until when it waits."""
    ids = {"run": claimed.run, "step": claimed.address}
    if isinstance(outcome, Wait):
        until = outcome.until.isoformat()
        values: dict[str, object] = {"state": "waiting", "due": until, "reason": outcome.reason}
        event = ("step_waiting", {**ids, "until": until, "reason": outcome.reason})
    else:
        text = canonical(asdict(outcome))
        values = {"state": "done", "outcome": text, "reason": outcome.reason, "due": None}
        event = ("step_finished", {**ids, "outcome": json.loads(text)})

    def change(transaction: Transaction) -> None:
        _record(transaction, claimed, {**values, "seconds": seconds}, event)
        if reuse_key and "outcome" in values:
            transaction.connection.execute(REUSE.delete().where(REUSE.c.key == reuse_key))
            transaction.connection.execute(
                REUSE.insert().values(key=reuse_key, outcome=values["outcome"])
            )

    ledger.write(change)


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
    _demand_open(transaction.connection, claimed.run)
    changed = transaction.connection.execute(
        _of(claimed).values(**values, owner=None, host=None, lease_until=None)
    )
    if changed.rowcount != 1:
        raise SupersededError(
            Mistake(
                f"step {claimed.address} was taken over by another process",
                where=f"run {claimed.run}",
                fix="nothing to do: the other process goes on with it",
            )
        )
    transaction.append(*event)


def reusable(ledger: Ledger, key: str) -> Outcome | None:
    """What an equal step said before."""
    with ledger.read() as connection:
        text = connection.execute(sa.select(REUSE.c.outcome).where(REUSE.c.key == key)).scalar()
    return _outcome(text)


def stop(ledger: Ledger, run: str, state: State, errors: Sequence[str] = ()) -> None:
    """Note that a run pauses: it waits, awaits a review, or was stopped by an error."""

    def change(transaction: Transaction) -> None:
        row = _demand_open(transaction.connection, run)
        if (row.state, json.loads(row.errors)) == (state, list(errors)):
            return
        transaction.append("run_paused", {"run": run, "state": state, "errors": list(errors)})
        transaction.connection.execute(
            RUN.update()
            .where(RUN.c.id == run)
            .values(
                state=state,
                errors=canonical(list(errors)),
                verdict=Verdict.INCONCLUSIVE if state is State.REVIEW else None,
            )
        )

    ledger.write(change)


def end(
    ledger: Ledger,
    run: str,
    state: State,
    verdict: Verdict | None,
    production_after: int | None,
    errors: Sequence[str] = (),
) -> None:
    """Close a run; closing one that has ended changes nothing."""

    def change(transaction: Transaction) -> None:
        row = transaction.connection.execute(sa.select(RUN).where(RUN.c.id == run)).one()
        if row.ended is None:
            _end(transaction, run, state, verdict, production_after, errors)

    ledger.write(change)


def _end(
    transaction: Transaction,
    run: str,
    state: State,
    verdict: str | None,
    production_after: int | None,
    errors: Sequence[str],
) -> None:
    transaction.append(
        "run_ended", {"run": run, "state": state, "verdict": verdict, "errors": list(errors)}
    )
    transaction.connection.execute(
        RUN.update()
        .where(RUN.c.id == run)
        .values(
            state=state,
            verdict=verdict,
            ended=transaction.at,
            production_after=production_after,
            errors=canonical(list(errors)),
        )
    )


def get(ledger: Ledger, run: str) -> Run:
    """A run by its id, or by the beginning of it when only one matches."""
    with ledger.read() as connection:
        rows = connection.execute(
            sa.select(RUN).where(RUN.c.id.startswith(run.upper(), autoescape=True)).limit(2)
        ).all()
    if len(rows) != 1:
        what = "no run" if not rows else "more than one run"
        raise UsageError(
            Mistake(f"{what} {run!r} in this project", fix="`seatrial runs` lists them")
        )
    return _run(rows[0])


def latest(ledger: Ledger, limit: int = 50) -> list[Run]:
    """Runs, newest first."""
    with ledger.read() as connection:
        rows = connection.execute(
            sa.select(RUN).order_by(RUN.c.started.desc(), RUN.c.id.desc()).limit(limit)
        )
        return [_run(row) for row in rows]


def steps(ledger: Ledger, run: str) -> list[Step]:
    """The steps of a run, in order."""
    with ledger.read() as connection:
        rows = connection.execute(
            sa.select(STEP).where(STEP.c.run == run).order_by(STEP.c.position)
        )
        return [
            Step(**{**row._mapping, "outcome": _outcome(row.outcome)})  # noqa: SLF001
            for row in rows
        ]


def _of(claimed: Claim, *, fenced: bool = True) -> sa.Update:
    query = STEP.update().where(STEP.c.run == claimed.run, STEP.c.address == claimed.address)
    return query.where(STEP.c.fence == claimed.fence) if fenced else query


def _demand_open(connection: sa.Connection, run: str) -> sa.Row[tuple[object, ...]]:
    row = connection.execute(sa.select(RUN).where(RUN.c.id == run)).one()
    if row.ended is not None:
        why = "; ".join(json.loads(row.errors)) or f"it is {row.state}"
        raise SupersededError(
            Mistake(f"run {run} has ended: {why}", fix="`seatrial runs` shows what came after it")
        )
    return row


def _run(row: sa.Row[tuple[object, ...]]) -> Run:
    values = {
        **row._mapping,  # noqa: SLF001 - SQLAlchemy's public name for it
        "state": State(row.state),
        "verdict": Verdict(row.verdict) if row.verdict else None,
        "request": json.loads(row.request),
        "errors": tuple(json.loads(row.errors)),
    }
    return Run(**values)


def _outcome(text: str | None) -> Outcome | None:
    return msgspec.json.decode(text, type=Outcome) if text else None

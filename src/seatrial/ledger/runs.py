"""Runs and their steps, as they stand: paused, ended, looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from seatrial.errors import Mistake, SupersededError, UsageError
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import CHANNEL, REVIEW, RUN, STEP
from seatrial.outcome import Outcome, Verdict, as_json_can_say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.ledger.store import Ledger, Transaction


class State(StrEnum):
    """Of a run; those from ``FINISHED`` on have ended."""

    RUNNING = "running"
    WAITING = "waiting"
    STOPPED = "stopped"
    REVIEW = "review"
    FINISHED = "finished"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


STANDS: Mapping[str, State | Verdict] = {
    **{word: word for word in (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE)},
    **{word: word for word in State if word is not State.FINISHED},
}
"""What runs are looked for by: how they ended, or how they stand meanwhile."""


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

    @property
    def engine(self) -> str:
        """Who comes back to the run when a wait is over or a step failed."""
        return str(self.request.get("engine", "embedded"))


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


def stop(ledger: Ledger, run: str, state: State, errors: Sequence[str] = ()) -> None:
    """Note that a run pauses: it waits, awaits a review, or was stopped by an error."""
    ledger.write(lambda transaction: pause(transaction, run, state, errors))


def pause(transaction: Transaction, run: str, state: State, errors: Sequence[str] = ()) -> None:
    """The same as :func:`stop`, within a transaction; said again, it changes nothing."""
    row = demand_open(transaction.connection, run)
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


def end(
    ledger: Ledger,
    run: str,
    state: State,
    verdict: Verdict | None,
    production_after: int | None,
    errors: Sequence[str] = (),
    also: Callable[[Transaction], None] | None = None,
) -> None:
    """Close a run, and do ``also`` with it; closing one that has ended changes nothing."""

    def change(transaction: Transaction) -> None:
        row = transaction.connection.execute(sa.select(RUN).where(RUN.c.id == run)).one()
        if row.ended is None:
            close(transaction, run, state, verdict, production_after, errors)
            if also is not None:
                also(transaction)

    ledger.write(change)


def give_up(transaction: Transaction, run: str, errors: Sequence[str]) -> None:
    """Close a run that stays inconclusive; production is not touched. An ended one stays ended."""
    connection = transaction.connection
    row = _row(connection, run)
    if row.ended is not None:
        return
    serving = _serving(connection, row.model)
    close(transaction, run, State.FINISHED, Verdict.INCONCLUSIVE, serving, errors)


def cancel(ledger: Ledger, run: str, by: str, reason: str = "") -> None:
    """End a run because a person says so; UsageError when it has ended. Production stays."""
    why = f"cancelled by {by}{f': {reason}' if reason else ''}"

    def change(transaction: Transaction) -> None:
        connection = transaction.connection
        row = _row(connection, run)
        if row.ended is not None:
            raise UsageError(Mistake(f"run {run} has ended already ({row.state})"))
        serving = _serving(connection, row.model)
        close(transaction, run, State.CANCELLED, None, serving, [why])

    ledger.write(change)


def _serving(connection: sa.Connection, model: str) -> int | None:
    """The version that is in production."""
    channel = (CHANNEL.c.model == model, CHANNEL.c.channel == "production")
    found: int | None = connection.execute(sa.select(CHANNEL.c.version).where(*channel)).scalar()
    return found


def close(
    transaction: Transaction,
    run: str,
    state: State,
    verdict: str | None,
    production_after: int | None,
    errors: Sequence[str],
) -> None:
    """Close a run within a transaction, and whatever was asked about it."""
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
    _drop_reviews(transaction, run, f"its run has ended: {'; '.join(errors) or verdict}")


def _drop_reviews(transaction: Transaction, run: str, why: str) -> None:
    """What was asked about a run needs no answer once it has ended, however it ended."""
    waiting = transaction.connection.execute(sa.select(REVIEW).where(REVIEW.c.status == "open"))
    for review in waiting.all():
        if json.loads(review.body)["run"] != run:
            continue
        transaction.append("review_closed", {"review": review.id, "reason": why})
        transaction.connection.execute(
            REVIEW.update()
            .where(REVIEW.c.id == review.id)
            .values(status="resolved", decided=transaction.at, reason=why)
        )


def get(ledger: Ledger, run: str) -> Run:
    """A run by its id, or by the beginning of it when only one matches."""
    found = beginning_with(ledger, run, limit=2)
    if len(found) != 1:
        what = "no run" if not found else "more than one run"
        raise UsageError(
            Mistake(f"{what} {run!r} in this project", fix="`seatrial runs` lists them")
        )
    return found[0]


def beginning_with(ledger: Ledger, text: str, limit: int) -> list[Run]:
    """Runs whose id is ``text`` or begins so, whether in small letters or great, oldest first."""
    query = sa.select(RUN).where(RUN.c.id.startswith(text.upper(), autoescape=True))
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(RUN.c.id).limit(limit))
        return [_run(row) for row in rows]


def of_model(ledger: Ledger, model: str, limit: int) -> list[Run]:
    """The newest runs of a model, newest first."""
    query = (
        sa.select(RUN)
        .where(RUN.c.model == model)
        .order_by(RUN.c.started.desc(), RUN.c.id.desc())
        .limit(limit)
    )
    with ledger.read() as connection:
        return [_run(row) for row in connection.execute(query)]


def latest(
    ledger: Ledger,
    limit: int = 50,
    *,
    before: str | None = None,
    pipeline: str | None = None,
    stands: State | Verdict | None = None,
) -> list[Run]:
    """Runs, newest first: of all, or only those that came ``before`` the run with this id.

    Of one pipeline, or only those that stand so, where that is said. UsageError when there is no
    run ``before``.
    """
    query = sa.select(RUN).order_by(RUN.c.started.desc(), RUN.c.id.desc()).limit(limit)
    if pipeline is not None:
        query = query.where(RUN.c.pipeline == pipeline)
    if stands is not None:
        column = RUN.c.verdict if isinstance(stands, Verdict) else RUN.c.state
        query = query.where(column == stands)
    with ledger.read() as connection:
        if before is not None:
            query = query.where(_older(connection, before))
        return [_run(row) for row in connection.execute(query)]


def _older(connection: sa.Connection, run: str) -> sa.ColumnElement[bool]:
    """What holds of the runs that began before this one; of one moment, the greater id is newer."""
    started = connection.execute(sa.select(RUN.c.started).where(RUN.c.id == run)).scalar()
    if started is None:
        raise UsageError(
            Mistake(f"no run {run!r} in this project", fix="`seatrial runs` lists them")
        )
    return sa.tuple_(RUN.c.started, RUN.c.id) < sa.tuple_(sa.literal(started), sa.literal(run))


def pipelines(ledger: Ledger) -> list[str]:
    """The names of all pipelines that ever ran, in order."""
    query = sa.select(RUN.c.pipeline).distinct().order_by(RUN.c.pipeline)
    with ledger.read() as connection:
        return list(connection.execute(query).scalars())


def unfinished(ledger: Ledger) -> list[Run]:
    """Runs that have not ended, newest first."""
    with ledger.read() as connection:
        rows = connection.execute(
            sa.select(RUN)
            .where(RUN.c.ended.is_(None))
            .order_by(RUN.c.started.desc(), RUN.c.id.desc())
        )
        return [_run(row) for row in rows]


def steps(ledger: Ledger, run: str) -> list[Step]:
    """The steps of a run, in order."""
    with ledger.read() as connection:
        rows = connection.execute(
            sa.select(STEP).where(STEP.c.run == run).order_by(STEP.c.position)
        )
        return [
            Step(**{**row._mapping, "outcome": decoded(row.outcome)})  # noqa: SLF001
            for row in rows
        ]


def demand_open(connection: sa.Connection, run: str) -> sa.Row[tuple[object, ...]]:
    """The row of a run that has not ended; :class:`SupersededError` when it has.

    :class:`UsageError` when this ledger knows no such run.
    """
    row = _row(connection, run)
    if row.ended is not None:
        why = "; ".join(json.loads(row.errors)) or f"it is {row.state}"
        raise SupersededError(
            Mistake(f"run {run} has ended: {why}", fix="`seatrial runs` shows what came after it")
        )
    return row


def is_known(connection: sa.Connection, run: str) -> bool:
    """Whether this ledger holds a run with exactly this id."""
    return connection.execute(sa.select(RUN.c.id).where(RUN.c.id == run)).first() is not None


def _row(connection: sa.Connection, run: str) -> sa.Row[tuple[object, ...]]:
    row = connection.execute(sa.select(RUN).where(RUN.c.id == run)).first()
    if row is None:
        raise UsageError(
            Mistake(f"run {run} is not in this ledger", fix="`seatrial runs` lists what is")
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


def decoded(text: str | None) -> Outcome | None:
    """An outcome from its stored JSON.

    Ledgers of before may hold numbers that are not finite as Python writes them, which is no JSON.
    """
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Outcome)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return as_json_can_say(msgspec.convert(json.loads(text), type=Outcome))

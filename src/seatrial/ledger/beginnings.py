"""How a run begins: anew, as the unfinished one that it would be, or not while another is at it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger import firings
from seatrial.ledger.overlaps import Held, under_way
from seatrial.ledger.runs import Run, State, close, get
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import CHANNEL, MOVE, RUN, STEP
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.ledger.firings import Turn
    from seatrial.ledger.overlaps import Asked
    from seatrial.ledger.store import Ledger, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A run that is to be: of which content (``key``), asked for how, with which steps.

    ``turn`` is the scheduled time that it is for, if any.
    """

    identity: str
    pipeline: str
    key: str
    model: str
    request: Mapping[str, object]
    steps: Sequence[str]
    turn: Turn | None = None


def begin(ledger: Ledger, beginning: Beginning) -> tuple[Run, bool]:
    """The unfinished run with this key, resumed (``True``), or a new one that pins production.

    Any other unfinished run of the pipeline is closed as superseded. :class:`SupersededError` when
    the run of its time has begun already.
    """
    begun = _begin(ledger, beginning, None)
    assert not isinstance(begun, Held)  # only an engine's run is held up
    return begun


def begin_for(ledger: Ledger, beginning: Beginning, asked: Asked) -> tuple[Run, bool] | Held:
    """The same for a run of an engine, which one that is under way may hold up."""
    return _begin(ledger, beginning, asked)


def _begin(ledger: Ledger, beginning: Beginning, asked: Asked | None) -> tuple[Run, bool] | Held:
    def change(transaction: Transaction) -> tuple[str, bool] | Held:
        if beginning.turn is not None:
            firings.demand_free(transaction, beginning.pipeline, beginning.turn)
        begun = _begun(transaction, beginning, asked)
        if beginning.turn is not None and not isinstance(begun, Held):
            firings.give(transaction, beginning.pipeline, beginning.turn, begun[0])
        return begun

    found = ledger.write(change)
    return found if isinstance(found, Held) else (get(ledger, found[0]), found[1])


def _begun(
    transaction: Transaction, beginning: Beginning, asked: Asked | None
) -> tuple[str, bool] | Held:
    """The run's id, and whether it was there before."""
    identity, key = beginning.identity, beginning.key
    unfinished = transaction.connection.execute(
        sa.select(RUN).where(RUN.c.pipeline == beginning.pipeline, RUN.c.ended.is_(None))
    ).all()
    if asked is not None:
        again = next((r.id for r in unfinished if _is_of(r, asked)), None)
        if again:
            return again, True
        held = _holding(transaction, unfinished, key, asked)
        if held is not None:
            return held
    resumed = next((r.id for r in unfinished if _goes_on(transaction, r, key, asked)), None)
    for row in unfinished:
        if row.id != resumed:
            why = f"superseded by run {identity if resumed is None else resumed}"
            close(transaction, row.id, State.SUPERSEDED, row.verdict, None, [why])
    if resumed:
        _reopen(transaction, resumed, beginning.request)
        return resumed, True
    _insert(transaction, beginning)
    return identity, False


def _is_of(run: sa.Row[tuple[object, ...]], asked: Asked) -> bool:
    """Whether a run was begun for that very run of the engine, and is at work for it."""
    if asked.once is None or run.state not in {State.RUNNING, State.WAITING}:
        return False
    request = json.loads(run.request)
    return (request.get("engine"), request.get("once")) == (asked.engine, asked.once)


def _holding(
    transaction: Transaction, unfinished: Sequence[sa.Row[Any]], key: str, asked: Asked
) -> Held | None:
    """What holds up a run that an engine wants to begin."""
    if asked.policy == "replace":
        return None
    for run in unfinished:
        held = _under_way(transaction, run)
        if held is not None and not (asked.adopt and run.key == key and run.state == State.WAITING):
            return held
    return None


def _goes_on(transaction: Transaction, run: sa.Row[Any], key: str, asked: Asked | None) -> bool:
    """Whether the unfinished run is the one that would be begun now.

    By hand it always is, when it is of the same content. A run of an engine is another one than
    the run which it replaces; what nobody is at any more it goes on with.
    """
    if run.key != key or not _current(transaction.connection, run):
        return False
    if asked is None or (asked.adopt and run.state == State.WAITING):
        return True
    return _under_way(transaction, run) is None


def _under_way(transaction: Transaction, run: sa.Row[Any]) -> Held | None:
    return under_way(transaction.connection, datetime.fromisoformat(transaction.at), run)


def _insert(transaction: Transaction, beginning: Beginning) -> None:
    model, identity = beginning.model, beginning.identity
    production = transaction.connection.execute(
        sa.select(CHANNEL).where(CHANNEL.c.model == model, CHANNEL.c.channel == "production")
    ).first()
    pinned = production.version if production else None
    transaction.append(
        "run_started",
        {
            "run": identity,
            "pipeline": beginning.pipeline,
            "key": beginning.key,
            "model": model,
            "pinned": pinned,
        },
    )
    transaction.connection.execute(
        RUN.insert().values(
            id=identity,
            pipeline=beginning.pipeline,
            key=beginning.key,
            state=State.RUNNING,
            started=transaction.at,
            model=model,
            pinned=pinned,
            pinned_revision=production.revision if production else 0,
            request=canonical(beginning.request),
            errors="[]",
        )
    )
    transaction.connection.execute(
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
            for position, address in enumerate(beginning.steps)
        ],
    )


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


def _reopen(transaction: Transaction, run: str, request: Mapping[str, object]) -> None:
    """A step that could not say is asked again: production or the code may have changed.

    Who goes on with a run is who asked for it last.
    """
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
    text = connection.execute(sa.select(RUN.c.request).where(RUN.c.id == run)).scalar_one()
    driver = {key: request.get(key) for key in ("engine", "once") if key in request}
    connection.execute(
        RUN.update()
        .where(RUN.c.id == run)
        .values(
            state=State.RUNNING,
            verdict=None,
            errors="[]",
            request=canonical({**json.loads(text), **driver}),
        )
    )

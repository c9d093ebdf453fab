"""Is another run of the pipeline under way, and until when does whoever comes second wait?

An engine that runs a pipeline does not know what the pipeline's runs do; the ledger does. A run
is under way while a step is performed (its lease is alive), while a wait lasts, and for
:data:`PATIENCE` after the last thing that happened to it: so long an engine may take to come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger.tables import EVENT, RUN, STEP

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger

PATIENCE = timedelta(hours=1)
"""How long a run may lie still between two steps, or after a wait, before it counts as left."""

LOOK = timedelta(minutes=1)
"""When to look again at a run of which nobody knows when it ends."""

RECENT = 10_000
"""How many events are looked through for the last one of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a run is begun by an engine.

    ``policy`` is the pipeline's overlap: ``skip``, ``queue`` or ``replace``. ``engine`` names who
    asks, ``once`` its own run: asked again for that, the same run is meant. With ``adopt`` a run
    that waits is gone on with if it is of the same file, settings and data.
    """

    policy: str
    engine: str
    once: str | None = None
    adopt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """No run was begun: ``run`` is under way; it is worth asking again at ``until``."""

    run: str
    until: datetime
    reason: str


def holding(ledger: Ledger, run: str) -> Held | None:
    """The same as :func:`under_way`, for those who only look."""
    with ledger.read() as connection:
        row = connection.execute(sa.select(RUN).where(RUN.c.id == run)).one()
        return under_way(connection, ledger.clock(), row)


def under_way(
    connection: sa.Connection, now: datetime, run: sa.Row[tuple[object, ...]]
) -> Held | None:
    """What holds up another run; ``None`` when nobody is at this one any more."""
    if run.state not in {"running", "waiting"}:
        return None  # stopped by an error, or in review
    steps = connection.execute(sa.select(STEP).where(STEP.c.run == run.id)).all()
    for step in steps:
        if step.state == "running" and _later(step.lease_until, now):
            return _held(run, now + LOOK, f"{step.address} is performed by {step.owner}")
        if step.state == "waiting" and _later(step.due, now):
            due = datetime.fromisoformat(step.due)
            said = f"{step.address} waits until {due:%Y-%m-%d %H:%M} UTC"
            return _held(run, min(due, now + LOOK), said)
    beats = (step.lease_until for step in steps if step.state == "running")
    dues = (step.due for step in steps if step.due)
    touched = [_last_touched(connection, str(run.id)), *beats, *dues]
    if any(_later(at, now - PATIENCE) for at in touched):
        return _held(run, now + LOOK, "it is between two steps")
    return None


def _held(run: sa.Row[tuple[object, ...]], until: datetime, why: str) -> Held:
    return Held(run=str(run.id), until=until, reason=f"run {run.id} has not ended: {why}")


def _last_touched(connection: sa.Connection, run: str) -> str | None:
    """When something last happened to a run, among the recent events."""
    last = sa.select(sa.func.max(EVENT.c.seq)).scalar_subquery()
    return connection.execute(
        sa.select(EVENT.c.at)
        .where(
            EVENT.c.seq > last - RECENT,
            EVENT.c.body.contains(f'"run":"{run}"', autoescape=True),
        )
        .order_by(EVENT.c.seq.desc())
        .limit(1)
    ).scalar()


def _later(at: str | None, than: datetime) -> bool:
    return at is not None and datetime.fromisoformat(at) > than

"""A ledger with thousands of runs, written by the functions that runs are written with.

Each run begins, claims and finishes its steps and ends at a time of its own, event by event, as a
real one does. Only what makes that slow is left out: they share one transaction, so that the disk
is waited for once, and what a step said is that of the same step of a real run.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar, cast

from seatrial import workspace
from seatrial.ledger import runs as stored
from seatrial.ledger.beginnings import Beginning, begin
from seatrial.ledger.claims import claim, finish
from seatrial.ledger.runs import State
from seatrial.ledger.store import Transaction
from seatrial.outcome import Verdict, Wait
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from seatrial.ledger.runs import Run, Step
    from seatrial.ledger.store import Ledger

T = TypeVar("T")

EVERY = timedelta(minutes=7)
PIPELINES = ("nightly", "weekly", "retrain_when_it_drifts")
FAILED, INCONCLUSIVE, CANCELLED = 0.10, 0.15, 0.17
"""Which shares of the runs ended so, added up; the others passed."""

WAITING = 5
"""So many of the runs wait; each is of a pipeline of its own, which has one at a time."""

_STEP = timedelta(seconds=4)
_HOST = _OWNER = "bench"


@dataclass(slots=True)
class _Together:
    """A ledger whose writes are all of one transaction, each at the moment that is set."""

    connection: sa.Connection
    at: datetime

    def write(self, change: Callable[[Transaction], T]) -> T:
        return change(Transaction(self.connection, self.at.isoformat()))

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        yield self.connection


def add(folder: Path, count: int, ends: datetime | None = None) -> str:
    """Write so many runs like the project's newest that passed, until ``ends``; the last's id."""
    opened = open_project(workspace.at(folder))
    try:
        (like,) = stored.latest(opened.ledger, 1, stands=Verdict.PASS)
        steps = stored.steps(opened.ledger, like.id)
        last = ends or datetime.now(UTC)

        def change(transaction: Transaction) -> str:
            drawn, made = random.Random(9), ""  # noqa: S311 - which run ended how
            for number in range(count):
                at = last - EVERY * (count - number)
                together = _Together(transaction.connection, at)
                made = _run(together, number, count, like, steps, drawn.random())
            return made

        return opened.ledger.write(change)
    finally:
        opened.ledger.close()


def _run(
    together: _Together, number: int, count: int, like: Run, steps: Sequence[Step], draw: float
) -> str:
    ledger = cast("Ledger", together)
    waits = number >= count - WAITING - 1 and number != count - 1
    run, _ = begin(
        ledger,
        Beginning(
            identity=workspace.new_id(together.at),
            pipeline=f"other_{number}" if waits else _pipeline(number, like),
            key=f"{like.key}-{number}",
            model=like.model,
            request=like.request,
            steps=[step.address for step in steps],
        ),
    )
    for step in steps:
        claimed = claim(ledger, run.id, step.address, owner=_OWNER, host=_HOST)
        assert not isinstance(claimed, datetime)
        assert claimed is not None
        together.at += _STEP
        if waits and step is steps[-1]:
            until = together.at + timedelta(days=365)
            finish(
                ledger, claimed, Wait(until=until, reason="waits for labels"), _STEP.total_seconds()
            )
            stored.stop(ledger, run.id, State.WAITING)
            return run.id
        assert step.outcome is not None
        finish(ledger, claimed, step.outcome, _STEP.total_seconds())
    state, verdict = _ended(draw)
    errors = ["cancelled by bench"] if state is State.CANCELLED else []
    stored.end(ledger, run.id, state, verdict, like.production_after, errors)
    return run.id


def _pipeline(number: int, like: Run) -> str:
    return like.pipeline if number % 4 else PIPELINES[number // 4 % len(PIPELINES)]


def _ended(draw: float) -> tuple[State, Verdict | None]:
    if INCONCLUSIVE <= draw < CANCELLED:
        return State.CANCELLED, None
    if draw < INCONCLUSIVE:
        return State.FINISHED, Verdict.FAIL if draw < FAILED else Verdict.INCONCLUSIVE
    return State.FINISHED, Verdict.PASS

"""Perform one step: claim it, do it, record it. What every engine calls."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from seatrial.engines._lock import step_lock
from seatrial.engines._release import installed
from seatrial.errors import (
    FaultError,
    Mistake,
    PassingError,
    SeatrialError,
    StoreError,
    SupersededError,
)
from seatrial.ledger import claims, runs
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.registry import holdouts
from seatrial.review.stopped_runs import answered
from seatrial.tasks import Context, Reusable
from seatrial.workspace import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.engines import Work
    from seatrial.ledger.claims import Claim
    from seatrial.ledger.runs import Run
    from seatrial.ledger.store import Ledger, Transaction
    from seatrial.plan import PlannedStep

T = TypeVar("T")

BACK_OFF_S = (0.2, 1.0, 5.0)
"""Pauses before an error that may pass is met again; then the run stops and can be resumed."""


def perform(work: Work, run: Run, step: PlannedStep) -> Outcome | Wait:
    """What the step said, now or before. Errors are recorded, and raised."""
    workspace, ledger = work.project.workspace, work.project.ledger
    note, host = _note(run, step), machine(workspace.home)
    told: str | None = None
    while True:
        with step_lock(workspace.lock, note, work.say):
            claimed = claims.claim(
                ledger,
                run.id,
                step.address,
                owner=f"{host}:{os.getpid()}",
                host=host,
                release=installed(),
            )
            if isinstance(claimed, claims.Claim):
                try:
                    return _claimed(work, run, step, claimed)
                except SupersededError as error:
                    if runs.get(ledger, run.id).ended:
                        raise
                    # this process slept for too long: what it found does not count
                    work.say(error.mistakes[0].what)
                    continue
        stored = next(s for s in runs.steps(ledger, run.id) if s.address == step.address)
        if stored.outcome is not None:
            return stored.outcome
        if isinstance(claimed, datetime) and stored.state == "waiting":
            return Wait(until=claimed, reason=stored.reason or "")
        # another machine holds the step: look again when its lease could have ended
        if stored.owner != told:
            work.say(f"waiting for {stored.owner} at {step.address}")
            told = stored.owner
        time.sleep(1.0)


def _note(run: Run, step: PlannedStep) -> str:
    """Which step of which run, for those who wait for it or read of it."""
    return f"run {run.id} of {run.pipeline}, step {step.address}"


def _claimed(work: Work, run: Run, step: PlannedStep, claimed: Claim) -> Outcome | Wait:
    ledger = work.project.ledger
    context = Context(
        scope=step.scope,
        run=run,
        workspace=work.project.workspace,
        registry=replace(work.project.registry, ledger=claims.fenced(work.project.ledger, claimed)),
        outcomes={
            s.address: s.outcome
            for s in runs.steps(ledger, run.id)
            if s.outcome is not None and s.address != step.address
        },
        open_rows=work.open_rows,
        open_table=work.open_table,
        say=work.say,
    )
    began = time.perf_counter()
    try:
        with _heartbeat(ledger, claimed):
            key, outcome = _insistent(work, step, lambda: _once(step, context))
    except SeatrialError as error:
        claims.release(ledger, claimed, error.mistakes[0].what)
        raise
    except Exception as error:
        # A fault of ours or of a plugin: the step stays open, so that the run can be resumed.
        fault = FaultError(
            Mistake(
                f"{step.address} failed: {type(error).__name__}: {error}",
                where=_note(run, step),
                fix="please report it, with what the same command prints under --debug;"
                " the same command resumes the run",
            )
        )
        claims.release(ledger, claimed, fault.mistakes[0].what)
        raise fault from error
    seconds = time.perf_counter() - began

    def finish() -> None:
        claims.finish(
            ledger,
            claimed,
            outcome,
            seconds,
            key,
            lambda transaction: _recorded(transaction, run, step, outcome),
        )

    _insistent(work, step, finish)
    return outcome


def _recorded(
    transaction: Transaction, run: Run, step: PlannedStep, outcome: Outcome | Wait
) -> None:
    """What follows from an outcome, in the transaction that records it."""
    answered(transaction, run, step.address, outcome)
    if isinstance(outcome, Outcome):
        holdouts.note(transaction, run.id, run.model, outcome)


def _insistent(work: Work, step: PlannedStep, do: Callable[[], T]) -> T:
    """Do it; again after a pause when what is in the way may pass.

    So is what was found noted, too: a database that restarts must not cost hours of training.
    """
    for pause in BACK_OFF_S:
        try:
            return do()
        except PassingError as error:
            work.say(f"{step.address}: {error.mistakes[0].what}; again in {pause:g} s")
            time.sleep(pause)
    return do()


def _once(step: PlannedStep, context: Context) -> tuple[str | None, Outcome | Wait]:
    task = step.task
    if not isinstance(task, Reusable):
        return None, task.run(context)
    key = task.key(context)
    earlier = claims.reusable(context.registry.ledger, key)
    renewed = task.renew(context, earlier) if earlier else None
    if renewed is not None:
        return None, replace(renewed, reason=f"{renewed.reason} (re-used: nothing changed)")
    said = task.run(context)
    # only what passed may stand for an equal step: a refusal keeps nothing to be re-used
    passed = isinstance(said, Outcome) and said.verdict is Verdict.PASS
    return key if passed else None, said


@contextlib.contextmanager
def _heartbeat(ledger: Ledger, claimed: Claim) -> Iterator[None]:
    """Prolong the lease while the step is performed."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(claims.LEASE_S / 3):
            # a beat that fails is made up for by the next; the fence guards the result anyway
            with contextlib.suppress(StoreError):
                claims.heartbeat(ledger, claimed)

    thread = threading.Thread(target=beat, name=f"heartbeat {claimed.address}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()

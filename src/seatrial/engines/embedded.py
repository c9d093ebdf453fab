"""The engine inside this process: stage after stage, step after step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seatrial.engines._step import perform
from seatrial.errors import FormError, SeatrialError, SupersededError
from seatrial.ledger import runs
from seatrial.notify.outbox import Message, post
from seatrial.outcome import Outcome, Verdict, Wait, combine
from seatrial.pipeline.condition import facts
from seatrial.review.stopped_runs import halt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seatrial.engines import Work
    from seatrial.ledger.runs import Run
    from seatrial.ledger.store import Transaction
    from seatrial.pipeline import Stage

NAP_S = 1.0
"""How soon ``--wait`` sees that its run was ended."""


class Embedded:
    """Holds no thread while a step waits: the run pauses and is resumed at its deadline."""

    def run(self, work: Work, run: Run, *, wait: bool) -> Run:
        """Drive the run. What is in the way is recorded with the run, and raised."""
        ledger = work.project.ledger
        while True:
            try:
                until = _stages(work, run)
            except SupersededError:
                met = runs.get(ledger, run.id)
                if met.state is runs.State.FINISHED:
                    return met  # another process drove the same run, and was first to end it
                raise
            except FormError as error:
                _end(work, run, None, [str(m) for m in error.mistakes], error.mistakes[0].what)
                raise
            except SeatrialError as error:
                runs.stop(ledger, run.id, runs.State.STOPPED, [str(error)])
                raise
            if until is None:
                return runs.get(ledger, run.id)
            runs.stop(ledger, run.id, runs.State.WAITING)
            if not wait:
                return runs.get(ledger, run.id)
            _sleep(work, run, until)


def _sleep(work: Work, run: Run, until: datetime) -> None:
    """In naps: a run that is ended meanwhile must not hold this process for hours."""
    while (left := (until - work.project.workspace.clock()).total_seconds()) > 0:
        time.sleep(min(left, NAP_S))
        if runs.get(work.project.ledger, run.id).ended:
            return


def _stages(work: Work, run: Run) -> datetime | None:
    """Perform what may run; the deadline of a wait, or ``None`` once the run was closed."""
    passed: dict[str, bool] = {}
    outcomes: dict[str, Outcome] = {}
    for stage in work.plan.pipeline.stages:
        if not may_start(stage, passed):
            passed[stage.name] = False
            continue
        said = _stage(work, run, stage)
        if isinstance(said, Wait):
            return said.until
        outcomes |= said
        passed[stage.name] = all(outcome.verdict.lets_through for outcome in said.values())
    verdict = combine(outcome.verdict for outcome in outcomes.values())
    if verdict is not Verdict.INCONCLUSIVE:
        harm = next((o.reason for o in outcomes.values() if o.verdict is Verdict.FAIL), "")
        _end(work, run, Verdict.PASS if verdict is Verdict.SKIP else verdict, [], harm)
    elif _settled_before(work, run, outcomes):
        return _stages(work, run)
    return None


def _settled_before(work: Work, run: Run, outcomes: Mapping[str, Outcome]) -> bool:
    """Ask people about what could not be said; whether they had settled all of it before."""
    unsure = {a: o for a, o in outcomes.items() if o.verdict is Verdict.INCONCLUSIVE}
    return halt(work.project.ledger, run, work.plan.pipeline.review, unsure)


def may_start(stage: Stage, passed: dict[str, bool]) -> bool:
    """A stage starts when its condition holds; without one, when all before it passed."""
    if stage.condition is None:
        return all(passed.values())
    return stage.condition.evaluate(facts(passed))


def _stage(work: Work, run: Run, stage: Stage) -> dict[str, Outcome] | Wait:
    """The outcomes by address, up to the first that lets nothing through."""
    outcomes: dict[str, Outcome] = {}
    for entry in stage.tasks:
        said = perform(work, run, work.plan.step(entry.address))
        if isinstance(said, Wait):
            work.say(f"{entry.address}: waits until {said.until:%Y-%m-%d %H:%M} UTC: {said.reason}")
            return said
        work.say(f"{entry.address}: {said.verdict} · {said.reason}")
        outcomes[entry.address] = said
        if not said.verdict.lets_through:
            break
    return outcomes


def _end(work: Work, run: Run, verdict: Verdict | None, errors: list[str], harm: str = "") -> None:
    """Close the run; whoever wants to know is told when it did not pass."""
    serving = work.project.registry.channel(run.model, "production")

    def tell(transaction: Transaction) -> None:
        version = f"version {serving.version}" if serving else "nothing"
        said = f"run {run.id} of {run.pipeline} did not pass: {harm}; {version} is in production"
        data = {"run": run.id, "verdict": verdict, "reason": harm, "errors": errors}
        key = f"run_failed/{run.id}"
        message = Message(kind="run_failed", key=key, model=run.model, text=said, data=data)
        post(transaction, message)

    runs.end(
        work.project.ledger,
        run.id,
        runs.State.FINISHED,
        verdict,
        serving.version if serving else None,
        errors,
        tell if harm else None,
    )

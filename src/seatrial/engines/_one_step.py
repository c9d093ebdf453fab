"""One step of a run by itself: for engines that call the steps one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from seatrial import plan as plans
from seatrial.engines import Work
from seatrial.engines._close import close
from seatrial.engines._course import next_step
from seatrial.engines._recorded import recorded
from seatrial.engines._release import differs
from seatrial.engines._step import perform
from seatrial.errors import Mistake, UsageError
from seatrial.ledger import runs
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.ledger.runs import Run
    from seatrial.ledger.store import Ledger
    from seatrial.registry.project import Project


@dataclass(frozen=True, slots=True)
class Performed:
    """How a step went, and its run as it stands now.

    ``said`` is ``None`` when the step will never be reached; ``why`` says what is in the way.
    """

    run: Run
    address: str
    said: Outcome | Wait | None
    why: str = ""


def one_step(
    project: Project, run_id: str, address: str, say: Callable[[str], None] = lambda _line: None
) -> Performed:
    """Perform a step whose turn it is, and close the run when it was the last.

    A step that was performed before says again what it said. Raises :class:`UsageError` when
    another comes first; what is in the way is recorded with the run, and raised.
    """
    run = runs.get(project.ledger, run_id)
    work = _work_of(project, run, say)
    wanted = work.plan.step(address)
    said = _said(project.ledger, run)
    if run.ended:
        why = f"run {run.id} has ended: {'; '.join(run.errors) or run.verdict or run.state}"
        return Performed(run, address, said.get(address), why)
    coming = next_step(work.plan.pipeline, said)
    if address not in said and coming != address:
        return _out_of_turn(work, run, address, coming)
    if note := differs(run):
        say(f"note: {note}")
    with recorded(work, run):
        while True:
            outcome = perform(work, run, wanted)
            if isinstance(outcome, Wait):
                runs.stop(project.ledger, run.id, runs.State.WAITING)
                break
            said = _said(project.ledger, run)
            # what people had settled before goes on; the step then says what they decided
            over = next_step(work.plan.pipeline, said) is None
            if not over or close(work, run, said):
                break
    return Performed(runs.get(project.ledger, run.id), address, outcome)


def exit_code(performed: Performed) -> int:
    """That of the step; of the run's verdict when the step is never reached.

    A step that is left out of a run that goes on is in nobody's way.
    """
    said = performed.said
    if isinstance(said, Wait):
        return 4
    if said is None and performed.run.verdict is None:
        return 5 if performed.run.ended else 0  # the run was cancelled or superseded
    verdict = performed.run.verdict if said is None else said.verdict
    return {Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}.get(cast("Verdict", verdict), 0)


def _work_of(project: Project, run: Run, say: Callable[[str], None]) -> Work:
    """The plan of the file as it was when the run began."""
    request = run.request
    changes = cast("Sequence[str]", request["changes"])
    pipeline = read(str(request["text"]), str(request["file"]), changes)
    return Work(project, plans.make(pipeline, project.workspace.folder), say)


def _said(ledger: Ledger, run: Run) -> dict[str, Outcome]:
    steps = runs.steps(ledger, run.id)
    return {step.address: step.outcome for step in steps if step.outcome is not None}


def _out_of_turn(work: Work, run: Run, address: str, coming: str | None) -> Performed:
    order = [step.address for step in work.plan.steps]
    if coming is not None and order.index(coming) < order.index(address):
        raise UsageError(
            Mistake(
                f"{coming} comes first, and has not let anything through yet",
                where=f"run {run.id}",
                fix=f"seatrial step {run.id} {coming}",
            )
        )
    return Performed(run, address, None, "its stage does not start, or ended before it")

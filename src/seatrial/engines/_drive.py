"""From a file's name to a finished run: what ``seatrial run`` and ``seatrial.run`` do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial import plan as plans
from seatrial import workspace
from seatrial.engines import Work
from seatrial.engines._begin import begin
from seatrial.engines.embedded import Embedded
from seatrial.errors import FormError, SeatrialError, StoreError
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.outcome import Verdict
from seatrial.pipeline.read import read_file
from seatrial.registry import gateways
from seatrial.registry.page import page
from seatrial.registry.project import open_project
from seatrial.report.document import document
from seatrial.review.items import asked_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.ledger.runs import Run
    from seatrial.pipeline import Pipeline
    from seatrial.review.items import Item


@dataclass(frozen=True, slots=True)
class Driven:
    """How a run went: its document, the exit code, the head of the ledger, and what stopped it.

    ``asked`` is what people are asked about it, ``page`` where the web page is, if anywhere.
    """

    document: dict[str, object]
    exit_code: int
    head: str = ""
    error: SeatrialError | None = None
    asked: tuple[Item, ...] = ()
    page: str | None = None


def run(
    file: str | Path,
    changes: Sequence[str] = (),
    *,
    wait: bool = False,
    say: Callable[[str], None] = lambda _line: None,
) -> Driven:
    """Run a pipeline file, or resume its unfinished run.

    ``changes`` are ``STAGE.TASK.KEY=YAML``. Never raises what a user can cause: see ``error``.
    """
    pipeline: Pipeline | None = None
    try:
        pipeline = read_file(Path(file), changes)
        where = workspace.of_file(Path(file))
        plan = plans.make(pipeline, where.folder)
        project = open_project(where)
    except SeatrialError as error:
        return Driven(_nothing(pipeline, error), error.exit_code, error=error)
    try:
        return drive(Work(project, plan, say), wait=wait)
    finally:
        project.ledger.close()


def drive(work: Work, *, wait: bool) -> Driven:
    """Begin or resume the run of a plan, and perform it."""
    error: SeatrialError | None = None
    current: Run | None = None
    try:
        current, resumed = begin(work)
        work.say(f"run {current.id} of {current.pipeline}{' resumed' if resumed else ''}")
        _warn(work, current)
        current = Embedded().run(work, current, wait=wait)
    except SeatrialError as met:
        error = met
    try:
        return _driven(work, current, error)
    except StoreError as met:
        # the ledger cannot even be read: what is known here is told all the same
        error = error or met
        told = _nothing(work.plan.pipeline, error)
        return Driven({**told, "run": current.id if current else None}, 5, error=error)


def _driven(work: Work, run: Run | None, error: SeatrialError | None) -> Driven:
    """How it went, as the ledger has it."""
    ledger = work.project.ledger
    if error is not None:
        run = _as_recorded(work, run, error)
        if run is None:
            return Driven(_nothing(work.plan.pipeline, error), error.exit_code, error=error)
    assert run is not None
    told = document(work.project, run)
    if error and not told["errors"]:
        told["errors"] = [str(mistake) for mistake in error.mistakes]
    code = error.exit_code if error else exit_code(run)
    asked, where = asked_of(ledger, run.id), page(ledger, work.project.workspace.home)
    return Driven(told, code, ledger.head(), error, asked, where)


def _as_recorded(work: Work, begun: Run | None, met: SeatrialError) -> Run | None:
    """The run as an error left it; ``None`` when the ledger did not even take it."""
    ledger = work.project.ledger
    if begun is not None:
        return runs.get(ledger, begun.id)
    if not isinstance(met, FormError):
        return None
    # data that cannot be used ends a run while it begins
    return next(r for r in runs.latest(ledger) if r.pipeline == work.plan.pipeline.name)


def exit_code(current: Run) -> int:
    """The contract's exit code of a run that no error stopped."""
    if current.state is State.REVIEW:
        return 3
    if current.state is State.WAITING:
        return 4
    if current.state is not State.FINISHED or current.verdict is None:
        return 5
    return {Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}.get(current.verdict, 0)


def _warn(work: Work, current: Run) -> None:
    """Say at the start what would stop the run hours later."""
    shadows = [
        step.address
        for step in work.plan.steps
        if step.scope.entry.word == "shadow_tests" and getattr(step.task, "source", "") == "live"
    ]
    if not shadows or current.pinned is None:
        return
    if not gateways.live(work.project.ledger, work.project.workspace.home):
        work.say(
            f"note: {shadows[0]} needs the traffic of a running gateway (`seatrial serve`);"
            " without one this run stops there and can be resumed"
        )


def _nothing(pipeline: Pipeline | None, error: SeatrialError) -> dict[str, object]:
    """The document of a run that could not begin."""
    return {
        "run": None,
        "pipeline": pipeline.name if pipeline else None,
        "state": "finished",
        "verdict": None,
        "model": None,
        "production": {"before": None, "after": None},
        "errors": [str(mistake) for mistake in error.mistakes],
        "stages": [],
    }

"""Go on with a run that was begun: it, and nothing else, from what its request stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from seatrial import plan as plans
from seatrial.engines import Work
from seatrial.engines._drive import Driven, exit_code
from seatrial.engines._release import differs
from seatrial.engines.embedded import Embedded
from seatrial.errors import FileError, SeatrialError
from seatrial.ledger import runs
from seatrial.pipeline.read import read
from seatrial.report.document import document
from seatrial.review.items import asked_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.ledger.runs import Run
    from seatrial.registry.project import Project


def resume(
    project: Project, run_id: str, say: Callable[[str], None] = lambda _line: None
) -> Driven:
    """Drive a run on; one that has ended is only told of.

    The file on disk may have changed since: what runs is the text that the run began with.
    Nothing is asked again, and no other run is closed. Raises :class:`UsageError` when there is
    no such run; everything else stands in ``error``.
    """
    found = runs.get(project.ledger, run_id)
    if found.ended:
        return told(project, found)
    request = found.request
    changes = cast("Sequence[str]", request["changes"])
    try:
        pipeline = read(str(request["text"]), str(request["file"]), changes)
        plan = plans.make(pipeline, project.workspace.folder)
    except FileError as error:
        # a word that was installed when the run began is gone: a person must bring it back
        runs.stop(project.ledger, found.id, runs.State.STOPPED, [str(m) for m in error.mistakes])
        return told(project, runs.get(project.ledger, found.id), error)
    return go_on(Work(project, plan, say), found)


def go_on(work: Work, run: Run) -> Driven:
    """Perform what is left of a run, until it ends or waits."""
    error: SeatrialError | None = None
    if note := differs(run):
        work.say(f"note: {note}")
    try:
        run = Embedded().run(work, run, wait=False)
    except SeatrialError as met:
        error = met
        run = runs.get(work.project.ledger, run.id)
    return told(work.project, run, error)


def told(project: Project, run: Run, error: SeatrialError | None = None) -> Driven:
    """A run as it stands, and what stopped it."""
    said = document(project, run)
    if error and not said["errors"]:
        said["errors"] = [str(mistake) for mistake in error.mistakes]
    code = error.exit_code if error else exit_code(run)
    ledger = project.ledger
    return Driven(said, code, ledger.head(), error, asked_of(ledger, run.id))

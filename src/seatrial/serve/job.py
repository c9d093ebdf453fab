"""One run in a process of its own, niced: ``run FILE --scheduled TIME`` or ``resume RUN``."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import plan as plans
from seatrial import workspace
from seatrial.engines import Work
from seatrial.engines._begin import begin
from seatrial.engines._resume import go_on, resume, told
from seatrial.errors import FileError, FormError, SeatrialError, SupersededError
from seatrial.gateway.log import logger
from seatrial.ledger import firings, runs
from seatrial.ledger.firings import State, Turn
from seatrial.pipeline.read import read_file
from seatrial.registry.project import open_project
from seatrial.serve import jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.engines._drive import Driven
    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project

NICENESS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it, say on standard error how it went, and return the exit code of ``seatrial run``."""
    os.nice(NICENESS)
    asked = _arguments(arguments)
    log = logger("job")
    try:
        if asked.what == "run":
            driven = run_scheduled(asked.file, asked.scheduled)
        else:
            driven = resume_run(asked.folder, asked.run)
    except SeatrialError as error:
        told = [str(mistake) for mistake in error.mistakes]
        log("job_refused", errors=told, exit_code=error.exit_code)
        return error.exit_code
    if driven is None:
        log("job_needless", exit_code=0)
        return 0
    document = driven.document
    keys = ("run", "pipeline", "state", "verdict", "errors")
    log("job_done", **{key: document[key] for key in keys}, exit_code=driven.exit_code)
    return driven.exit_code


def run_scheduled(file: Path, time: datetime) -> Driven | None:
    """Begin the run of a time that was fired; ``None`` when another job did so.

    A file that cannot be planned skips the time. Raises :class:`PassingError` while another job
    of the pipeline is at work.
    """
    project = open_project(workspace.of_file(file))
    try:
        pipeline = read_file(file)
        with jobs.take(project.workspace.home, pipeline.name) as note:
            firing = firings.get(project.ledger, pipeline.name, time)
            if firing is None or firing.state is not State.FIRED or firing.run:
                return None
            return _begun(project, pipeline, time, note)
    finally:
        project.ledger.close()


def resume_run(folder: Path, run: str) -> Driven:
    """Go on with a run, as the one job of its pipeline."""
    project = open_project(workspace.at(folder.absolute()))
    try:
        found = runs.get(project.ledger, run)
        with jobs.take(project.workspace.home, found.pipeline) as note:
            note(found.id)
            driven = resume(project, found.id)
            _leave(project, found.id, note)
            return driven
    finally:
        project.ledger.close()


def _begun(project: Project, pipeline: Pipeline, time: datetime, note: jobs.Note) -> Driven | None:
    try:
        plan = plans.make(pipeline, project.workspace.folder)
    except FileError as error:
        why = error.mistakes[0].what
        firings.settle(project.ledger, pipeline.name, time, State.SKIPPED, reason=why)
        raise
    work = Work(project, plan, lambda _line: None)
    try:
        run, _ = begin(work, Turn(time))
    except SupersededError:
        return None  # a job of another machine was first
    except FormError as error:
        # data that cannot be used ends a run while it begins
        firing = firings.get(project.ledger, pipeline.name, time)
        assert firing is not None
        assert firing.run is not None
        return told(project, runs.get(project.ledger, firing.run), error)
    note(run.id)
    driven = go_on(work, run)
    _leave(project, run.id, note)
    return driven


def _leave(project: Project, run: str, note: jobs.Note) -> None:
    """Nobody need come back, unless even the end could not be written."""
    if runs.get(project.ledger, run).state is not runs.State.RUNNING:
        note("")


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.serve.job")
    words = parser.add_subparsers(dest="what", required=True)
    run = words.add_parser("run")
    run.add_argument("file", type=Path)
    run.add_argument("--scheduled", type=datetime.fromisoformat, required=True)
    resumed = words.add_parser("resume")
    resumed.add_argument("run")
    resumed.add_argument("--folder", type=Path, default=Path())
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

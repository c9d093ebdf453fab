"""Starts what is scheduled, and goes on with runs whose wait is over or whose job died.

It also starts what judges the traffic of full hours.

``python -m seatrial.serve.scheduler --folder PATH [--board FD --cell N] [--no-schedules]``. It
keeps nothing that matters: whatever it knows stands in the ledger, or is a kernel lock. So it may
be killed at any moment, and several may look after one project.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import workspace
from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.gateway.board import Board
from seatrial.gateway.log import logger
from seatrial.ledger import firings, runs
from seatrial.registry.project import open_project
from seatrial.serve import jobs
from seatrial.serve.decide import Record, Release, Replace, Resume, Start, decide, next_time
from seatrial.serve.hours import Hours
from seatrial.serve.look import look
from seatrial.serve.patience import Patience
from seatrial.serve.pipelines import pipelines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project
    from seatrial.serve.decide import Action, State

TURN_S = 1.0
"""The longest sleep: how soon a changed file or a dead job is seen."""

END_S = 2.0
"""How long jobs may take to die when the scheduler ends; they are left then, and resumed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look after a project until SIGTERM, or until the parent is gone."""
    asked = _arguments(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    alive = parent.watch()
    log = logger("scheduler")
    try:
        project = open_project(workspace.at(asked.folder.absolute()), existing=True)
    except SeatrialError as error:
        log("ledger_unusable", error=str(error))
        return error.exit_code
    board = Board.open(asked.board) if asked.board is not None else None
    by = f"{platform.node()}:{os.getpid()}"
    scheduler = Scheduler(project, by, log, schedules=not asked.no_schedules)
    hours = Hours(project, log)
    while not stop.is_set() and alive():
        pause_s = scheduler.turn()
        hours.tend()
        if board is not None:
            board.write(asked.cell, scheduler.told())
        stop.wait(pause_s)
    hours.end()
    scheduler.end()
    project.ledger.close()
    return 0


@dataclass(slots=True)
class Scheduler:
    """Looks, decides, acts; ``turn`` by ``turn``. Without ``schedules`` it starts nothing new."""

    project: Project
    by: str
    log: Callable[..., None]
    monotonic: Callable[[], float] = time.monotonic
    schedules: bool = True
    next: dict[str, str] = field(default_factory=dict)
    _jobs: dict[str, tuple[str, subprocess.Popen[bytes]]] = field(default_factory=dict)
    _patience: Patience = field(default_factory=Patience)
    _complaints: Mapping[str, str] = field(default_factory=dict)

    def turn(self) -> float:
        """Do what is due; the seconds until something may be due again."""
        self._bury()
        try:
            return self._turn()
        except SeatrialError as error:
            # whatever could not be written is decided again: nothing was lost but time
            self.log("ledger_unusable", error=str(error))
            return TURN_S

    def told(self) -> dict[str, object]:
        """What the board shows: that it lives, and the next time of each pipeline."""
        return {"pid": os.getpid(), "beat_us": time.time_ns() // 1000, "next": self.next}

    def end(self) -> None:
        """Ask the jobs to end; what they leave is resumed by the next scheduler."""
        for _, job in self._jobs.values():
            job.terminate()
        until = self.monotonic() + END_S
        for _, job in self._jobs.values():
            try:
                job.wait(timeout=max(until - self.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                self.log("job_left", job_pid=job.pid)

    def _turn(self) -> float:
        pipelines = self._pipelines()
        now = self.project.workspace.clock()
        seen = look(self.project, pipelines, now)
        busy = jobs.at_work(self.project.workspace.home) | self._jobs.keys()
        state = seen.state(busy, self._patience.paused(self.monotonic()))
        noted = False
        for action in decide(now, pipelines, state):
            noted = self._act(action, pipelines) or noted
        self.next = self._next(now, pipelines, state)
        if noted:
            return 0.0  # what was fired just now is started in the next turn
        deadlines = [*map(datetime.fromisoformat, self.next.values()), *seen.deadlines]
        left_s = ((at - now).total_seconds() for at in deadlines if at > now)
        return min([TURN_S, *left_s])

    def _pipelines(self) -> Mapping[str, Pipeline]:
        found = pipelines_of(self.project.workspace.folder)
        for file, complaint in found.broken.items():
            if self._complaints.get(file) != complaint:
                self.log("file_not_usable", file=file, error=complaint)
        self._complaints = found.broken
        if self.schedules:
            return found.pipelines
        return {n: replace(pipeline, schedule=None) for n, pipeline in found.pipelines.items()}

    def _next(
        self, now: datetime, pipelines: Mapping[str, Pipeline], state: State
    ) -> dict[str, str]:
        told = {}
        for name, pipeline in pipelines.items():
            since = state.known[name].since
            first = next_time(pipeline, since)
            # the look was before what this turn decided
            coming = first if first is None or first > now else next_time(pipeline, now)
            if coming is not None:
                told[name] = coming.isoformat()
        return told

    def _act(self, action: Action, pipelines: Mapping[str, Pipeline]) -> bool:
        """Do it; whether there may be more to do at once."""
        ledger = self.project.ledger
        match action:
            case Record(pipeline, at, fate, reason, replaces):
                if not firings.fire(ledger, pipeline, at, self.by, state=fate, reason=reason):
                    return False
                self.log(f"schedule_{fate}", pipeline=pipeline, time=at, reason=reason)
                if replaces:
                    self._replace(pipeline, replaces, at)
            case Release(pipeline, at):
                firings.settle(ledger, pipeline, at, firings.State.FIRED)
                self.log("schedule_fired", pipeline=pipeline, time=at, reason="was queued")
            case Replace(pipeline, run, at):
                self._replace(pipeline, run, at)
            case Start(pipeline, at):
                file = pipelines[pipeline].file
                self._start(action, ("run", file, "--scheduled", at.isoformat()))
                return False
            case Resume(_, run):
                folder = str(self.project.workspace.folder)
                self._start(action, ("resume", run, "--folder", folder))
                return False
        return True

    def _replace(self, pipeline: str, run: str, at: datetime) -> None:
        why = f"replaced by the scheduled run of {at:%Y-%m-%d %H:%M} UTC"
        ledger, found = self.project.ledger, runs.get(self.project.ledger, run)
        serving = self.project.registry.channel(found.model, "production")
        version = serving.version if serving else None
        runs.end(ledger, run, runs.State.CANCELLED, None, version, [why])
        if firing := firings.of_runs(ledger, [run]).get(run):
            firings.settle(ledger, pipeline, firing.time, firings.State.REPLACED, reason=why)
        if pipeline in self._jobs:
            self._jobs[pipeline][1].terminate()
        self.log("run_replaced", pipeline=pipeline, run=run, time=at)

    def _start(self, action: Start | Resume, words: tuple[str, ...]) -> None:
        job = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "seatrial.serve.job", *words],
            stdin=subprocess.DEVNULL,
        )
        self._jobs[action.pipeline] = action.subject, job
        self.log("job_started", subject=action.subject, job_pid=job.pid)

    def _bury(self) -> None:
        for pipeline, (subject, job) in list(self._jobs.items()):
            if (code := job.poll()) is not None:
                del self._jobs[pipeline]
                pause_s = self._patience.ended(subject, code, self.monotonic())
                self.log("job_ended", subject=subject, code=code, pause_s=pause_s)


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.serve.scheduler")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--board", type=int)
    parser.add_argument("--cell", type=int)
    parser.add_argument("--no-schedules", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""The engine inside this process: stage after stage, step after step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seatrial.engines._close import close
from seatrial.engines._course import next_step
from seatrial.engines._recorded import recorded
from seatrial.engines._step import perform
from seatrial.errors import SupersededError
from seatrial.ledger import runs
from seatrial.outcome import Outcome, Wait

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.engines import Work
    from seatrial.ledger.runs import Run

NAP_S = 1.0
"""How soon ``--wait`` sees that its run was ended."""


class Embedded:
    """Holds no thread while a step waits: the run pauses and is resumed at its deadline."""

    def run(self, work: Work, run: Run, *, wait: bool) -> Run:
        """Drive the run. What is in the way is recorded with the run, and raised."""
        ledger = work.project.ledger
        told: set[str] = set()
        while True:
            try:
                with recorded(work, run):
                    until = _course(work, run, told)
            except SupersededError:
                met = runs.get(ledger, run.id)
                if met.state is runs.State.FINISHED:
                    return met  # another process drove the same run, and was first to end it
                raise
            if until is None:
                return runs.get(ledger, run.id)
            runs.stop(ledger, run.id, runs.State.WAITING)
            if not wait:
                return runs.get(ledger, run.id)
            _sleep(work, run, until)


def _course(work: Work, run: Run, told: set[str]) -> datetime | None:
    """Perform what may run; the deadline of a wait, or ``None`` once the run was closed."""
    while True:
        outcomes: dict[str, Outcome] = {}
        while (address := next_step(work.plan.pipeline, outcomes)) is not None:
            said = perform(work, run, work.plan.step(address))
            if isinstance(said, Wait):
                until = f"{said.until:%Y-%m-%d %H:%M} UTC"
                work.say(f"{address}: waits until {until}: {said.reason}")
                return said.until
            _tell(work, address, said, told)
            outcomes[address] = said
        if close(work, run, outcomes):
            return None


def _tell(work: Work, address: str, said: Outcome, told: set[str]) -> None:
    """Once: a run that goes on after a wait meets again what it has told."""
    line = f"{address}: {said.verdict} · {said.reason}"
    if line not in told:
        told.add(line)
        work.say(line)


def _sleep(work: Work, run: Run, until: datetime) -> None:
    """In naps: a run that is ended meanwhile must not hold this process for hours."""
    while (left := (until - work.project.workspace.clock()).total_seconds()) > 0:
        time.sleep(min(left, NAP_S))
        if runs.get(work.project.ledger, run.id).ended:
            return

"""Is anybody at work on this project? If nobody is, keep it so; else say who."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from typing import TYPE_CHECKING

from seatrial.engines._lock import idle
from seatrial.errors import Mistake, PassingError
from seatrial.ledger import runs
from seatrial.notify.courier.hold import hold
from seatrial.registry import gateways
from seatrial.serve import jobs
from seatrial.workspace import machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.registry.project import Project


@contextlib.contextmanager
def alone(project: Project) -> Iterator[None]:
    """Hold every lock of this home; :class:`PassingError` says who holds one, or works elsewhere.

    A command that only writes to the ledger takes none: whoever must keep those out, too, writes
    to it all the while.
    """
    home = project.workspace.home
    with contextlib.ExitStack() as held:
        for gateway in gateways.live(project.ledger, home):
            raise _busy(f"{gateway} is at work", "stop it, and start it again afterwards")
        held.enter_context(idle(project.workspace.lock))
        for file in sorted((home / jobs.FOLDER).glob("*")):
            held.enter_context(jobs.take(home, file.name))
        courier = hold(home)
        if courier is None:
            raise _busy("messages are on their way", "wait for a minute")
        held.callback(os.close, courier)
        for step in _elsewhere(project):
            raise _busy(
                f"step {step.address} of run {step.run} is performed by {step.owner}",
                f"wait for its end, or `seatrial cancel {step.run}`",
            )
        yield


def _elsewhere(project: Project) -> Iterator[runs.Step]:
    """Steps that another machine performs; what a kernel lock of this one guarded is dead."""
    ours, now = machine(project.workspace.home), project.ledger.clock()
    for run in runs.unfinished(project.ledger):
        for step in runs.steps(project.ledger, run.id):
            lease = step.lease_until if step.state == "running" and step.host != ours else None
            if lease is not None and datetime.fromisoformat(lease) > now:
                yield step


def _busy(what: str, fix: str) -> PassingError:
    return PassingError(Mistake(what, fix=fix))

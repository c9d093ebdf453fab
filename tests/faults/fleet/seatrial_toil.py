"""Words whose every call is noted as it begins and as it ends, so that two at once are seen."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.tasks import Task

if TYPE_CHECKING:
    from seatrial.tasks import Context

HELD_S = 120.0
"""Nothing is held for longer, so that no test can hang."""


class Toil(Task, frozen=True, kw_only=True):
    """Takes its time; with ``hold`` the first call lasts until the project has a file ``go``."""

    seconds: float = 0.0
    hold: bool = False
    note: str = ""

    def run(self, context: Context) -> Outcome:
        """Note the begin, toil, note the end."""
        _note(context, "begins")
        time.sleep(self.seconds)
        call = _calls(context) if self.hold else 1
        ends = time.monotonic() + HELD_S
        while self.hold and call == 1 and time.monotonic() < ends:
            if (context.workspace.folder / "go").exists():
                break
            time.sleep(0.01)
        _note(context, "ends")
        return Outcome(verdict=Verdict.PASS, reason=f"call {call}")


class Pause(Task, frozen=True, kw_only=True):
    """Waits, holding nothing, until so many seconds after its first call."""

    seconds: float

    def run(self, context: Context) -> Outcome | Wait:
        """Wait once."""
        _note(context, "begins")
        _note(context, "ends")
        if _calls(context) > 1:
            return Outcome(verdict=Verdict.PASS, reason="it is over")
        until = context.workspace.clock() + timedelta(seconds=self.seconds)
        return Wait(until=until, reason="it takes its time")


class Stage(Task, frozen=True, kw_only=True):
    """Registers a version of the model ``m``; its first call waits for ``go`` before that."""

    content: str = "one"

    def run(self, context: Context) -> Outcome:
        """Keep a blob, hold, register."""
        Toil(hold=True).run(context)
        registry = context.registry
        files = {"model.onnx": registry.blobs.put(self.content.encode())}
        version = registry.register(
            "m", {"files": files}, label="v{version}", run=context.run.id, by="toil"
        )
        return Outcome(verdict=Verdict.PASS, reason=f"staged version {version.version}")


def _note(context: Context, what: str) -> None:
    """One line, whole whoever else writes."""
    line = f"{context.scope.entry.address} {os.getpid()} {what}\n"
    file = context.workspace.folder / "calls.txt"
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(handle, line.encode())
    os.close(handle)


def _calls(context: Context) -> int:
    """How often this step has begun."""
    lines = (context.workspace.folder / "calls.txt").read_text().splitlines()
    address = context.scope.entry.address
    return sum(line.split()[::2] == [address, "begins"] for line in lines)

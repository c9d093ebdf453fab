"""A package that brings a word of its own: ``probe`` does what its script says, call by call."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.tasks import Task

if TYPE_CHECKING:
    from seatrial.tasks import Context

HELD_S = 30.0
"""A probe that holds gives up after this, so that no test can hang."""


class Probe(Task, frozen=True, kw_only=True):
    """Each call takes the next entry of ``script``; the last one goes for all that follow.

    An entry is a verdict; ``passing``, ``store`` or ``bug`` (errors); ``wait SECONDS``; or, until
    the project has a file ``go``, then pass: ``hold`` (the process) or ``look SECONDS`` (a wait
    between each look and the next).
    """

    script: tuple[str, ...] = ("pass",)
    note: str = ""

    def run(self, context: Context) -> Outcome | Wait:
        """Do what the script says."""
        folder, address = context.workspace.folder, context.scope.entry.address
        calls = folder / "calls.txt"
        before = calls.read_text().split() if calls.exists() else []
        calls.write_text("\n".join([*before, address]) + "\n")
        entry = self.script[min(before.count(address), len(self.script) - 1)]
        word, _, seconds = entry.partition(" ")
        match word:
            case "passing":
                raise PassingError(Mistake("the store is busy"))
            case "store":
                raise StoreError(Mistake("the disk is full"))
            case "bug":
                raise RuntimeError("a fault of the plugin")
            case "look" if (folder / "go").exists():
                word = "pass"
            case "wait" | "look":
                until = context.workspace.clock() + timedelta(seconds=float(seconds))
                return Wait(until=until, reason="traffic is collected")
            case "hold":
                end = time.monotonic() + HELD_S
                while not (folder / "go").exists() and time.monotonic() < end:
                    time.sleep(0.01)
                word = "pass"
        return Outcome(verdict=Verdict(word), reason=f"call {before.count(address) + 1}: {word}")

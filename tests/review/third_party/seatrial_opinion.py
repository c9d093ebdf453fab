"""A package that brings a word of its own: ``opinion`` says what the project's file says."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.outcome import Finding, Measure, Outcome, Verdict, Wait
from seatrial.tasks import Task

if TYPE_CHECKING:
    from seatrial.tasks import Context


class Opinion(Task, frozen=True, kw_only=True):
    """Says what stands in ``opinions.json`` under its address; without an entry it passes.

    With ``hours`` it waits for so long first.
    ``note`` changes nothing but the run that this is.
    """

    note: str = ""

    def run(self, context: Context) -> Outcome | Wait:
        """Look it up."""
        folder, address = context.workspace.folder, context.scope.entry.address
        with (folder / "calls.txt").open("a") as calls:
            calls.write(f"{address}\n")
        opinions = json.loads((folder / "opinions.json").read_text())
        said = opinions.get(address, {"verdict": "pass"})
        if "hours" in said:
            until = context.workspace.clock() + timedelta(hours=said.pop("hours"))
            (folder / "opinions.json").write_text(json.dumps({**opinions, address: said}))
            return Wait(until=until, reason="traffic is collected")
        verdict = Verdict(said["verdict"])
        value = said.get("value")
        measured = Measure(name="accuracy", value=value, limit=0.82, n=40, verdict=verdict)
        if value is not None:
            measured = Measure(
                name="accuracy",
                value=value,
                low=value - 0.05,
                high=value + 0.05,
                limit=0.82,
                n=40,
                verdict=verdict,
            )
        return Outcome(
            verdict=verdict,
            reason=said.get("reason", f"{verdict} it is"),
            measures=(measured,),
            findings=(Finding(what="few rows", hint="412 more labelled rows would settle it"),),
            facts=said.get("facts", {}),
        )

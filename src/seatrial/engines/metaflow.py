"""The pipeline as a flow file of Metaflow, which reads the graph from the source: a method a task.

A wait ends the flow, for Metaflow holds a process as long as a step lasts; the ledger has the
deadline, and ``resume`` or another ``run`` goes on from there.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from seatrial.engines._exported import calling, filled
from seatrial.engines._python import literal

if TYPE_CHECKING:
    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline

TESTED_FROM = "2.19"
TESTED_BELOW = "2.20"
"""The releases of Metaflow that the scenarios are run on."""


class Metaflow:
    """Writes ``python FILE run``: a straight line of steps that call seatrial."""

    def export(self, outline: Outline, call: Call) -> str:
        """The text of the flow file."""
        return filled(
            "metaflow.txt",
            NAME=outline.name,
            FLOW=_flow_name(outline.name),
            TESTED_FROM=TESTED_FROM,
            TESTED_BELOW=TESTED_BELOW,
            IMPORTED=_imported(outline),
            CALLING=calling(outline, call),
            STAGES=_stages(outline),
            SCHEDULE=_schedule(outline),
            STEPS=_steps(outline),
        )


def _flow_name(pipeline: str) -> str:
    """``flights_late`` is ``FlightsLateFlow``; no word of the file ends so."""
    name = "".join(part.capitalize() for part in pipeline.split("_"))
    return f"{name}Flow" if name and not name[0].isdigit() else f"Flow{name}"


def _imported(outline: Outline) -> str:
    names = ["FlowSpec", "Parameter", "card", "current", "retry", "step"]
    return ", ".join(sorted([*names, *(["schedule"] if outline.schedule else [])]))


def _stages(outline: Outline) -> str:
    return "\n".join(
        f"    {literal(stage.name)}: {literal(stage.condition)}," for stage in outline.stages
    )


def _schedule(outline: Outline) -> str:
    """For those who deploy the flow; a local run takes no notice of it."""
    if outline.schedule is None:
        return ""
    zone = "" if outline.timezone == "UTC" else f", timezone={literal(outline.timezone)}"
    return f"@schedule(cron={literal(outline.schedule)}{zone})\n"


def _steps(outline: Outline) -> str:
    """The steps from ``start`` to ``report``, each with the name of the one that follows."""
    names = [*_names(outline.addresses), "report"]
    steps = [_step("start", "Begin the run.", "begin(self)", names[0])]
    for address, (name, following) in zip(outline.addresses, pairwise(names), strict=True):
        call = f"perform(self, {literal(address)})"
        steps.append(_step(name, f"Task {address}.", call, following))
    return "\n".join(steps)


def _step(name: str, what: str, call: str, following: str) -> str:
    return (
        "    @retry(times=RETRIES, minutes_between_retries=0)\n"
        "    @step\n"
        f"    def {name}(self):\n"
        f'        """{what}"""\n'
        f"        {call}\n"
        f"        self.next(self.{following})\n"
    )


def _names(addresses: tuple[str, ...]) -> list[str]:
    """Names of methods: lower case, digits and ``_``, no ``_`` in front; no two are equal.

    They all hold ``__``, so that none is a word of Metaflow's own.
    """
    names: list[str] = []
    for address in addresses:
        plain = re.sub(r"[^a-z0-9_]", "_", address.replace(".", "__"))
        name = f"stage{plain}" if plain.startswith("_") else plain
        while name in names:
            name += "_"
        names.append(name)
    return names

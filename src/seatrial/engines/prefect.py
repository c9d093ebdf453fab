"""The pipeline as a flow of Prefect: run once as a program, served, or deployed to a work pool.

A wait gives the flow run back: it is scheduled anew for the stored deadline, and holds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.engines._exported import filled
from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline, StageOutline

TESTED_FROM, TESTED_BELOW = "3.8", "3.9"
"""The releases of Prefect that the scenarios are run on."""

FASTAPI_BELOW = "0.151"
"""From this FastAPI on, a server of Prefect 3.8 refuses deployments, and later does not start."""

_WIDTH = 100


class Prefect:
    """Writes a flow whose tasks are the steps of the pipeline."""

    def export(self, outline: Outline, call: Call) -> str:
        """The text of the flow file."""
        return filled(
            "prefect.txt",
            TESTED_FROM=TESTED_FROM,
            TESTED_BELOW=TESTED_BELOW,
            FASTAPI_BELOW=FASTAPI_BELOW,
            NAME=outline.name,
            SCHEDULE=_schedule(outline),
            CATCH_UP=repr(outline.catch_up),
            CALLING=_calling(outline, call).rstrip("\n"),
            STAGES=_listed("", map(_stage, outline.stages)),
        )


def _schedule(outline: Outline) -> str:
    """Where both days are given, Prefect is told how they combine: it would take either."""
    if outline.schedule is None:
        return "None"
    words = [repr(outline.schedule), f"timezone={outline.timezone!r}"]
    if fields(outline.schedule).both_days:
        words.append("day_or=False")
    return f"Cron({', '.join(words)})"


def _calling(outline: Outline, call: Call) -> str:
    return filled(
        "calling.txt",
        SEATRIAL=_listed("", map(repr, call.words)),
        FOLDER=repr(str(call.folder)),
        FILE=repr(call.file),
        EXPORTED=repr(outline.digest),
    )


def _stage(stage: StageOutline) -> str:
    start = f"({stage.name!r}, {stage.condition!r}, "
    return f"{_listed(start, map(repr, stage.addresses), indent=4)})"


def _listed(start: str, items: Iterable[str], indent: int = 0) -> str:
    """A list on one line, where there is room for it and its items are on one, else on several."""
    found = [*items]
    line = f"{start}[{', '.join(found)}]"
    if indent and len(line) + indent < _WIDTH - 2:
        return line
    inner = " " * (indent + 4)
    return "\n".join([f"{start}[", *(f"{inner}{item}," for item in found), f"{' ' * indent}]"])

"""The pipeline as a flow of Prefect: run once as a program, served, or deployed to a work pool.

A wait gives the flow run back: it is scheduled anew for the stored deadline, and holds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.engines._exported import calling, filled
from seatrial.engines._python import literal, staged
from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline

TESTED_FROM, TESTED_BELOW = "3.8", "3.9"
"""The releases of Prefect that the scenarios are run on."""

FASTAPI_BELOW = "0.151"
"""From this FastAPI on, a server of Prefect 3.8 refuses deployments, and later does not start."""


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
            CATCH_UP=literal(outline.catch_up),
            CALLING=calling(outline, call),
            STAGES=staged(outline.stages),
        )


def _schedule(outline: Outline) -> str:
    """Where both days are given, Prefect is told how they combine: it would take either."""
    if outline.schedule is None:
        return "None"
    words = [literal(outline.schedule), f"timezone={literal(outline.timezone)}"]
    if fields(outline.schedule).both_days:
        words.append("day_or=False")
    return f"Cron({', '.join(words)})"

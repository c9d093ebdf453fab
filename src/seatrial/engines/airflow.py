"""The pipeline as a DAG of Airflow: stages as task groups, waits as deferrals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seatrial.engines._exported import filled
from seatrial.errors import Mistake, UsageError
from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline, StageOutline

LOWEST, HIGHEST = (3, 2), (3, 3)
"""The releases of Airflow that the file is tested with, both ends included."""

RUNS_AT_ONCE = {"skip": 16, "replace": 16, "queue": 2}
"""Of the DAG, by overlap: whoever comes second must run to ask; of a queue only one waits."""

CLOCKS = """\
# on a day when clocks change, Airflow starts a time that they jump over that much later, and one
# that comes twice the second time
"""

ONE_LINE = 80
"""Characters of a list that stands on one line."""


class Airflow:
    """Writes a DAG file that needs nothing but Airflow, and calls seatrial by its words."""

    def export(self, outline: Outline, call: Call) -> str:
        """The text of the DAG file, without its seal."""
        return filled(
            "airflow.txt",
            PIPELINE=outline.name,
            WINDOW=f"{_release(LOWEST)} to {_release(HIGHEST)}",
            REQUIREMENT=f"apache-airflow>={_release(LOWEST)},<{HIGHEST[0]}.{HIGHEST[1] + 1}",
            LOWEST=str(LOWEST),
            HIGHEST=str(HIGHEST),
            CALLING=filled(
                "calling.txt",
                SEATRIAL=_listed(call.words),
                FOLDER=_text(str(call.folder)),
                FILE=_text(call.file),
                EXPORTED=_text(outline.digest),
            ).strip(),
            CLOCKS="" if outline.timezone == "UTC" else CLOCKS,
            SCHEDULE=_schedule(outline),
            CATCH_UP=_text(outline.catch_up),
            OVERLAP=outline.overlap,
            RUNS_AT_ONCE=str(RUNS_AT_ONCE[outline.overlap]),
            STAGES=_stages(outline.stages),
        )


def _release(numbers: tuple[int, int]) -> str:
    return ".".join(str(number) for number in numbers)


def _schedule(outline: Outline) -> str:
    """Airflow's own cron, which means the same but on the day when clocks change.

    Raises :class:`UsageError` where it means something else on other days too.
    """
    if outline.schedule is None:
        return "None"
    days = outline.schedule.split()[2::2]
    if fields(outline.schedule).both_days and "*" not in days:
        raise UsageError(
            Mistake(
                f"of the days {days[0]} and {days[1]} Airflow takes either, where both must match",
                where=f"{outline.file}, schedule {outline.schedule!r}",
                fix="write * for one of the two",
            )
        )
    # without the last word, it also fires a time from before the file was there
    zone = f"timezone={_text(outline.timezone)}, run_immediately=timedelta(0)"
    return f"Cron({_text(outline.schedule)}, {zone})"


def _stages(stages: Sequence[StageOutline]) -> str:
    lines = [
        f"    ({_text(stage.name)}, {_text(stage.condition)}, {_listed(stage.addresses)}),"
        for stage in stages
    ]
    return "\n".join(["[", *lines, "]"])


def _listed(texts: Sequence[str]) -> str:
    """A list: on one line where it fits."""
    line = f"[{', '.join(_text(text) for text in texts)}]"
    if len(line) <= ONE_LINE:
        return line
    return "\n".join(["[", *(f"    {_text(text)}," for text in texts), "]"])


def _text(text: str | None) -> str:
    """A literal: what JSON writes of a text, Python reads as the same."""
    return "None" if text is None else json.dumps(text, ensure_ascii=False)

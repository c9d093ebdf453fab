"""The pipeline as a DAG of Airflow: stages as task groups, waits as deferrals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.engines._exported import calling, filled
from seatrial.engines._python import literal, staged
from seatrial.errors import Mistake, UsageError
from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline

LOWEST, HIGHEST = (3, 2), (3, 3)
"""The releases of Airflow that the file is tested with, both ends included."""

RUNS_AT_ONCE = {"skip": 16, "replace": 16, "queue": 2}
"""Of the DAG, by overlap: whoever comes second must run to ask; of a queue only one waits."""

CLOCKS = """\
# on a day when clocks change, Airflow starts a time that they jump over that much later, and one
# that comes twice the second time
"""


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
            CALLING=calling(outline, call),
            CLOCKS="" if outline.timezone == "UTC" else CLOCKS,
            SCHEDULE=_schedule(outline),
            CATCH_UP=literal(outline.catch_up),
            OVERLAP=outline.overlap,
            RUNS_AT_ONCE=str(RUNS_AT_ONCE[outline.overlap]),
            STAGES=staged(outline.stages),
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
    zone = f"timezone={literal(outline.timezone)}, run_immediately=timedelta(0)"
    return f"Cron({literal(outline.schedule)}, {zone})"

"""When does which pipeline of a folder run next, and what became of its last times?

The document of ``seatrial schedules --json``, for the command line, the web page and its API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from seatrial.ledger import firings
from seatrial.pipeline.times import next_times
from seatrial.serve.pipelines import pipelines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from seatrial.ledger.firings import Firing
    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """``scheduled`` holds a document for each pipeline with a schedule, every key present.

    ``unscheduled`` are the files of the others by the pipeline's name; ``broken`` says what is
    wrong with files that cannot be used, by file.
    """

    scheduled: Sequence[Mapping[str, Any]]
    unscheduled: Mapping[str, str]
    broken: Mapping[str, str]


def timetable(project: Project, count: int) -> Timetable:
    """The next ``count`` times of each pipeline, and the last ones. Times are ISO."""
    found, now = pipelines_of(project.workspace.folder), project.workspace.clock()
    pipelines = found.pipelines.values()
    return Timetable(
        scheduled=[
            _told(
                pipeline,
                next_times(pipeline.schedule, pipeline.timezone, now, count),
                firings.latest(project.ledger, pipeline.name, count),
            )
            for pipeline in pipelines
            if pipeline.schedule is not None
        ],
        unscheduled={each.name: each.file for each in pipelines if each.schedule is None},
        broken=found.broken,
    )


def _told(pipeline: Pipeline, times: Sequence[datetime], last: Sequence[Firing]) -> dict[str, Any]:
    zone = ZoneInfo(pipeline.timezone)
    return {
        "pipeline": pipeline.name,
        "file": pipeline.file,
        "schedule": pipeline.schedule,
        "timezone": pipeline.timezone,
        "overlap": pipeline.overlap,
        "catch_up": pipeline.catch_up,
        "next": [{"local": at.astimezone(zone).isoformat(), "utc": at.isoformat()} for at in times],
        "last": [
            {"time": f.time.isoformat(), "state": f.state, "run": f.run, "reason": f.reason}
            for f in last
        ],
    }

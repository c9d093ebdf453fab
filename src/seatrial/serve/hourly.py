"""Judges the hours of traffic that are due, and ends: ``python -m seatrial.serve.hourly``.

It only gets the processor time that nobody else wants. The scheduler starts it when an hour is
over; it may be killed at any moment.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import workspace
from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.gateway.isolation import step_back
from seatrial.gateway.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.registry.project import Project
    from seatrial.watch.drifting import Demand


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge what is due; the exit code of what was in the way."""
    asked = _arguments(arguments)
    step_back()  # before anything heavy is loaded
    from seatrial.registry.project import open_project  # noqa: PLC0415

    log = logger("hourly")
    try:
        project = open_project(workspace.at(asked.folder.absolute()), existing=True)
        try:
            judge(project, log, parent.watch())
        finally:
            project.ledger.close()
    except SeatrialError as error:
        log("traffic_not_judged", error=str(error))
        return error.exit_code
    return 0


def judge(project: Project, log: Callable[..., None], may_go_on: Callable[[], bool]) -> None:
    """Judge what is due in a project, by the demands of its pipeline files."""
    import pyarrow as pa  # noqa: PLC0415

    from seatrial.serve.demand import demands_of  # noqa: PLC0415
    from seatrial.watch.drifting import judge_hours  # noqa: PLC0415

    pa.set_cpu_count(1)  # the other cores are the workers'
    demands = demands_of(project.workspace.folder)

    def demand(model: str) -> Demand:
        return demands(model)

    for hour in judge_hours(project, demand, may_go_on):
        log(
            "traffic_judged", model=hour.model, version=hour.version, hour=hour.hour,
            rows=hour.body["rows"], verdict=hour.verdict, day=hour.day["verdict"],
        )  # fmt: skip


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.serve.hourly")
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

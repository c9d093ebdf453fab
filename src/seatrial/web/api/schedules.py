"""When which pipeline runs next, as programs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.web.api._answers import schedules as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered
from seatrial.web.opened import project

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

COUNT = 5
"""Times to come, and times that have been, as of the command."""


def schedules(request: Request) -> Response:
    """Of every pipeline of the folder that has a schedule."""
    from seatrial.serve.timetable import timetable

    return answered(timetable(project(request), COUNT).scheduled)


OPERATIONS = (
    Operation(
        method="GET",
        path="/schedules",
        summary="When which pipeline runs next, and what became of its last times",
        answer=schedules,
        gives=list[_answers.Schedule],
    ),
)
ROUTES = routes(OPERATIONS)

"""How the data of a model went over time, as programs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.web.api._answers import data as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered
from seatrial.web.api.models import known
from seatrial.web.opened import project

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.drifts import Hour


def traffic(request: Request) -> Response:
    """Every full hour of the last days that was judged, oldest first."""
    from seatrial.report.traffic_course import hours

    return answered([_hour(each) for each in hours(project(request), known(request))])


def checks(request: Request) -> Response:
    """What checks of its newest runs saw of each dataset, oldest first."""
    from seatrial.report.data_course import document

    return answered(document(project(request), known(request)))


def _hour(hour: Hour) -> dict[str, Any]:
    body, keys = hour.body, ("name", "value", "limit", "verdict")
    return {
        "hour": hour.hour,
        "version": hour.version,
        "verdict": hour.verdict,
        "rows": body["rows"],
        "measure": body["measure"],
        "unit": body["unit"],
        "columns": [{key: each[key] for key in keys} for each in body["columns"]],
        "day": {key: hour.day[key] for key in ("verdict", "rows", "moved")},
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/models/{model}/traffic",
        summary="How its live traffic stood to the training data, hour by hour",
        answer=traffic,
        gives=list[_answers.TrafficHour],
    ),
    Operation(
        method="GET",
        path="/models/{model}/datasets",
        summary="What the checks of its newest runs saw of each dataset",
        answer=checks,
        gives=_answers.Datasets,
    ),
)
ROUTES = routes(OPERATIONS)

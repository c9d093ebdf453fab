"""Data: how a model's live traffic, its checked datasets and its training data went over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.web.drawing import page
from seatrial.web.opened import project
from seatrial.web.pages._chosen import chosen

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def data(request: Request) -> Response:
    """Of the model that is chosen, else of the one that went into production last."""
    from seatrial.report.data_course import checked, trained_on
    from seatrial.report.traffic_course import traffic

    opened = project(request)
    known, model = chosen(opened, request.query_params.get("model", ""))
    sections = []
    if model:
        sections = [traffic(opened, model), *checked(opened, model), trained_on(opened, model)]
    return page(
        request,
        "data.html",
        title="Data",
        here="data",
        models=known,
        model=model,
        sections=sections,
    )


ROUTES = (Route("/data", data, methods=["GET"], name="data"),)

"""Data: how a model's live traffic, its checked datasets and its training data went over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import RequestError
from seatrial.registry.registry import PRODUCTION
from seatrial.web.drawing import page
from seatrial.web.opened import project
from seatrial.web.pages.registry import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project


def data(request: Request) -> Response:
    """Of the model that is chosen, else of the one that went into production last."""
    from seatrial.report.data_course import checked, trained_on
    from seatrial.report.traffic_course import traffic

    opened = project(request)
    known = names(opened)
    model = request.query_params.get("model", "") or _first(opened, known)
    if model and model not in known:
        raise RequestError(404, f"there is no model {model!r} in this project")
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


def _first(opened: Project, known: Sequence[str]) -> str:
    serving = [each for each in opened.registry.channels() if each.channel == PRODUCTION]
    newest = max(serving, key=lambda each: each.since, default=None)
    return next(iter(known), "") if newest is None else newest.model


ROUTES = (Route("/data", data, methods=["GET"], name="data"),)

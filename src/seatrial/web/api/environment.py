"""Where what serves was trained and who answers with it, as programs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.errors import PassingError, SeatrialError
from seatrial.registry import gateways
from seatrial.registry.registry import PRODUCTION
from seatrial.web.api._answers import environment as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered
from seatrial.web.api.models import known
from seatrial.web.machine import machine
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version


def environment(request: Request) -> Response:
    """Of the version in production; nothing is known where none is."""
    opened, model = project(request), known(request)
    version = opened.registry.resolve(model, PRODUCTION)
    told: dict[str, Any] = {"model": model, "version": None, "gateways": [], "machines": None}
    if version is None:
        return answered({**told, "trouble": ""})
    told |= {"version": version.version, "gateways": [*_gateways(opened, version)]}
    try:
        return answered({**told, "machines": _machines(opened, version), "trouble": ""})
    except PassingError:
        raise
    except SeatrialError as error:
        return answered({**told, "trouble": error.mistakes[0].what})


def _gateways(opened: Project, version: Version) -> Iterator[dict[str, Any]]:
    """Each live one, and what it said of the version."""
    said = gateways.readiness(opened.ledger, version.model, version.version)
    for each in gateways.live(opened.ledger, opened.workspace.home):
        told = said.get(each.id)
        yield {
            "id": each.id,
            "address": each.address,
            "host": each.host,
            "workers": each.workers,
            "state": None if told is None else told.state,
            "proven": told is not None and told.proven,
            "reason": None if told is None else told.reason,
            "at": None if told is None else told.at,
        }


def _machines(opened: Project, version: Version) -> dict[str, Any] | None:
    """In what this machine differs from the one it was trained on; None where that is unknown."""
    from seatrial.environment.demands import Demands
    from seatrial.environment.table import table

    demands = Demands.of(opened.registry.manifest(version))
    if not demands.environment:
        return None
    captures = {str(version): demands.environment, "this machine": machine()}
    return table(captures, demands.needs, demands.policy).to_json()


OPERATIONS = (
    Operation(
        method="GET",
        path="/models/{model}/environment",
        summary="Who answers with what is in production, and how machines differ",
        answer=environment,
        gives=_answers.ModelEnvironment,
    ),
)
ROUTES = routes(OPERATIONS)

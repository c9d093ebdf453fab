"""How the project stands, as programs ask for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seatrial.registry import gateways
from seatrial.report import status as standing
from seatrial.report.drifted import drift_of
from seatrial.serve.throughput import between, so_far
from seatrial.web.api._answers import status as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.serve.pulse import Beat


def status(request: Request) -> Response:
    """Who serves, since when, why; what is watched, held, waits or is asked."""
    from seatrial.serve.pipelines import listeners_of

    opened = project(request)
    return answered(standing.status(opened, listeners_of(opened.workspace.folder)))


def evidence(request: Request) -> Response:
    """Watches and shadow tests under way."""
    from seatrial.report.evidence_now import evidence_now

    return answered([asdict(each) for each in evidence_now(project(request))])


def drift(request: Request) -> Response:
    """Of each version in production."""
    opened = project(request)
    serving = (each for each in opened.registry.channels() if each.channel == "production")
    return answered([drift_of(opened, each.model, each.version) for each in serving])


def traffic(request: Request) -> Response:
    """What live gateways answer now."""
    opened = project(request)
    beats, more = request.app.state.pulse.look(opened)
    told = [{**_gateway(each), "versions": [*_stands(opened, each)]} for each in beats]
    return answered({"gateways": told, "more": more, "versions": [*_paces(beats)]})


def _gateway(beat: Beat) -> dict[str, Any]:
    known = asdict(beat.gateway)
    trouble = beat.trouble or ("it is being asked" if beat.unheard else "")
    return {**{key: known[key] for key in ("id", "address", "workers", "started")}} | {
        "trouble": trouble
    }


def _stands(opened: Project, beat: Beat) -> Iterator[dict[str, Any]]:
    """What it said of each version that a channel points at."""
    pointed = sorted({(each.model, each.version) for each in opened.registry.channels()})
    for model, version in pointed:
        said = gateways.readiness(opened.ledger, model, version).get(beat.gateway.id)
        if said is not None:
            known = asdict(said)
            yield {key: known[key] for key in ("model", "version", "state", "reason", "at")}


def _paces(beats: list[Beat]) -> Iterator[dict[str, Any]]:
    looks = [each.looks for each in beats if each.looks is not None]
    paces = between(looks)
    nothing = dict.fromkeys(("per_s", "errors_percent", "p50_ms", "p95_ms", "p99_ms"))
    for which, count in so_far(looks).items():
        pace = asdict(paces[which]) if which in paces else nothing
        yield {"model": which[0], "version": which[1], "requests": count, **pace}


OPERATIONS = (
    Operation(
        method="GET",
        path="/status",
        summary="Who serves, since when, why; what is watched, held, waits or is asked",
        answer=status,
        gives=_answers.ProjectStatus,
    ),
    Operation(
        method="GET",
        path="/traffic",
        summary="Live gateways, and what they answer now",
        answer=traffic,
        gives=_answers.Traffic,
    ),
    Operation(
        method="GET",
        path="/evidence",
        summary="Watches and shadow tests under way: what is measured, and how far it has come",
        answer=evidence,
        gives=list[_answers.Followed],
    ),
    Operation(
        method="GET",
        path="/drift",
        summary="How the traffic of each version in production stands to its training data",
        answer=drift,
        gives=list[_answers.Drift],
    ),
)
ROUTES = routes(OPERATIONS)

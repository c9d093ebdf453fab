"""Two versions of a model on the same rows, as programs ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, PassingError, UsageError
from seatrial.web.access.actor import operator
from seatrial.web.api import _bodies
from seatrial.web.api._answers import compare as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered, asked, or_none, refused, sent
from seatrial.web.api.models import known
from seatrial.web.comparing import Pair, comparing
from seatrial.web.opened import project

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.web.comparing import Result


def begin(request: Request) -> Response:
    """On the rows that usually judge the first, without times; one comparison at a time."""
    operator(request)
    pair = _pair(request, sent(request, _bodies.WhichTwo))
    begun = comparing(request)
    if not begun.begin(project(request).workspace.folder, pair):
        now = begun.of(pair)
        if now.state == "busy":
            what = "another comparison is under way, and there is one at a time"
            raise PassingError(Mistake(what, fix="ask again in a moment"))
    return answered(_told(begun.of(pair)))


def look(request: Request) -> Response:
    """How it stands, and what came of it; nothing is begun by looking."""
    pair = _pair(request, asked(request, _bodies.WhichTwo))
    return answered(_told(comparing(request).of(pair)))


def _pair(request: Request, wanted: _bodies.WhichTwo) -> Pair:
    """The two as numbers: a channel may point elsewhere when it is looked at again."""
    from seatrial.registry.opened import named

    registry, model = project(request).registry, known(request)
    try:
        first, second = (
            f"{model}@{named(registry, f'{model}@{each}').version}"
            for each in (wanted.first, wanted.second)
        )
    except UsageError as error:
        raise refused(404, error) from error
    return Pair(first, second, or_none(wanted.margin))


def _told(result: Result) -> dict[str, Any]:
    told, keys = result.told, _answers.Comparison.__struct_fields__
    return {
        "state": result.state,
        "why": result.why,
        "at": told.get("at"),
        "seconds": told.get("seconds"),
        "comparison": {key: told[key] for key in keys} if told else None,
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/models/{model}/compare",
        summary="How a comparison of two versions stands, and what came of it",
        answer=look,
        gives=_answers.Scored,
        query=_bodies.WhichTwo,
    ),
    Operation(
        method="POST",
        path="/models/{model}/compare",
        summary="Begin to compare two versions on the same rows: metrics, and where answers differ",
        answer=begin,
        gives=_answers.Scored,
        takes=_bodies.WhichTwo,
    ),
)
ROUTES = routes(OPERATIONS)

"""Two versions of a model on the same rows, as programs ask for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from seatrial.errors import (
    FileError,
    FormError,
    Mistake,
    PassingError,
    StoreError,
    UsageError,
)
from seatrial.web.api import _answers, _bodies
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered, asked, or_none, refused
from seatrial.web.api.models import known
from seatrial.web.opened import project

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_ONE = threading.Lock()
"""It reads all rows and asks both versions: one at a time, so that pages stay quick."""


def compare(request: Request) -> Response:
    """On the rows that usually judge the first, without times."""
    from seatrial.evaluation.side_by_side import side_by_side
    from seatrial.registry.opened import named

    wanted, opened, model = asked(request, _bodies.WhichTwo), project(request), known(request)
    if not _ONE.acquire(blocking=False):
        what = "another comparison is under way, and there is one at a time"
        raise PassingError(Mistake(what, fix="ask again in a moment"))
    try:
        first, second = (
            named(opened.registry, f"{model}@{each}") for each in (wanted.first, wanted.second)
        )
        told = side_by_side(opened, first, second, margin=or_none(wanted.margin), speed=False)
    except PassingError:
        raise
    except (UsageError, FileError, FormError, StoreError) as error:
        raise refused(409, error) from error
    finally:
        _ONE.release()
    return answered(told.document())


OPERATIONS = (
    Operation(
        method="GET",
        path="/models/{model}/compare",
        summary="Two versions on the same rows: metrics, their difference, where answers differ",
        answer=compare,
        gives=_answers.Comparison,
        query=_bodies.WhichTwo,
        refusals=(409,),
    ),
)
ROUTES = routes(OPERATIONS)

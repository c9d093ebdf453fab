"""Rollback by hand: what it would do; and done, once, and only from what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import RequestError
from seatrial.web.access.actor import operator
from seatrial.web.drawing import page
from seatrial.web.opened import project
from seatrial.web.pages._moving import NO_REASON, done, is_watched, wanted
from seatrial.web.pages.registry import HERE, about_of, kept_in, name_of, number_of, path_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.report.about_model import About, Kept
    from seatrial.review.by_hand import Moved


def confirm(request: Request) -> Response:
    """What going back to a version would do, and the button that does it."""
    operator(request)
    found = about_of(request)
    number = number_of(request.query_params.get("to", ""))
    return _confirmation(request, found, found.target if number is None else number)


def roll_back(request: Request) -> Response:
    """Do it."""
    from seatrial.review.by_hand import ROLLBACK, move_by_hand, to_go_back_to

    actor, asked = operator(request), wanted(request, "go back to")
    opened, name = project(request), name_of(request)

    def refused(mistake: str, status: int = 409) -> Response:
        found = about_of(request)
        return _confirmation(request, found, asked.version, asked.reason, mistake, status)

    if not asked.reason:
        return refused(NO_REASON, 400)
    number = to_go_back_to(opened, name, asked.version)

    def move() -> Moved:
        why, who = asked.reason, actor.name
        return move_by_hand(opened, name, number, ROLLBACK, why, by=who, expect=asked.expect)

    return done(request, name, asked, move, refused)


def _confirmation(
    request: Request,
    found: About,
    number: int | None,
    reason: str = "",
    mistake: str = "",
    status: int = 200,
) -> Response:
    target = None if number is None else kept_in(found, number)
    if found.production is None or target is None or target not in found.targets:
        raise RequestError(409, _no_way_back(found, number, target))
    response = page(
        request,
        "rollback.html",
        title=f"Roll back {found.model}",
        here=HERE,
        about=found,
        path_of=path_of(found.model),
        target=target,
        last=next(each for each in found.terms if each.version == number),
        ended=found.rolled_back(target.version.version),
        watched=is_watched(request, found),
        reason=reason,
        mistake=mistake,
    )
    response.status_code = status
    return response


def _no_way_back(found: About, number: int | None, target: Kept | None) -> str:
    """Why production cannot go back to a version, and what can be done."""
    if target is not None and target.quarantined is not None:
        return (
            f"version {number} of {found.model} is in quarantine"
            f" ({target.quarantined.reason}): a promotion by hand can end that, a rollback does not"
        )
    what = "nothing" if number is None else f"version {number}"
    return f"production of {found.model} cannot go back to {what}: choose what served before"


ROUTES = (
    Route("/models/{model}/rollback", confirm, methods=["GET"], name="rollback"),
    Route("/models/{model}/rollback", roll_back, methods=["POST"]),
)

"""Promotion by hand: what it would do; and done, once, and only from what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import RequestError
from seatrial.web.access.actor import operator
from seatrial.web.drawing import page
from seatrial.web.forms import form
from seatrial.web.opened import project
from seatrial.web.pages._moving import NO_REASON, done, is_watched, wanted
from seatrial.web.pages.registry import HERE, about_of, kept_in, name_of, number_of, path_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.report.about_model import About
    from seatrial.review.by_hand import Moved


def confirm(request: Request) -> Response:
    """What promoting a version would do, and the button that does it."""
    operator(request)
    found = about_of(request)
    number = number_of(request.query_params.get("to", ""))
    return _confirmation(request, found, found.staged if number is None else number)


def promote(request: Request) -> Response:
    """Do it."""
    from seatrial.review.by_hand import PROMOTE, move_by_hand, to_promote

    actor, asked = operator(request), wanted(request, "promote")
    opened, name, lift = project(request), name_of(request), form(request).get("lift") == "1"

    def refused(mistake: str, status: int = 409) -> Response:
        found = about_of(request)
        return _confirmation(request, found, asked.version, asked.reason, mistake, status)

    if not asked.reason:
        return refused(NO_REASON, 400)
    target = kept_in(about_of(request), asked.version)
    if target is not None and target.quarantined is not None and not lift:
        what = f"Version {asked.version} is in quarantine: tick the box if you know better."
        return refused(what, 400)

    def move() -> Moved:
        number = to_promote(opened, name, asked.version)
        why, who = asked.reason, actor.name
        return move_by_hand(
            opened, name, number, PROMOTE, why, by=who, lift=lift, expect=asked.expect
        )

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
    if target is None or target not in found.candidates:
        what = "nothing is staged" if number is None else f"version {number} cannot be promoted"
        raise RequestError(
            409, f"{what}: of {found.model} choose one that does not serve and has its files"
        )
    response = page(
        request,
        "promotion.html",
        title=f"Promote {found.model}",
        here=HERE,
        about=found,
        path_of=path_of(found.model),
        target=target,
        watched=is_watched(request, found),
        reason=reason,
        mistake=mistake,
    )
    response.status_code = status
    return response


ROUTES = (
    Route("/models/{model}/promote", confirm, methods=["GET"], name="promote"),
    Route("/models/{model}/promote", promote, methods=["POST"]),
)

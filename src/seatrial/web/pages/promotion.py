"""Promotion by hand: what it would do; and done, once, and only from what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import PassingError, RequestError, StoreError, UsageError
from seatrial.registry.registry import MovedError
from seatrial.web.access.actor import operator
from seatrial.web.drawing import page, redirect
from seatrial.web.forms import form
from seatrial.web.forms import reason as reason_of
from seatrial.web.opened import project
from seatrial.web.pages.registry import (
    HERE,
    about_of,
    is_watched,
    kept_in,
    name_of,
    number_of,
    path_of,
    unmoved,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.report.about_model import About


def confirm(request: Request) -> Response:
    """What promoting a version would do, and the button that does it."""
    operator(request)
    found = about_of(request)
    number = number_of(request.query_params.get("to", ""))
    return _confirmation(request, found, found.staged if number is None else number)


def promote(request: Request) -> Response:
    """Do it."""
    from seatrial.review.by_hand import PROMOTE, move_by_hand, to_promote

    actor, said, opened, name = operator(request), form(request), project(request), name_of(request)
    reason, expect = reason_of(said), number_of(said.get("expect", ""))
    wanted, lift = number_of(said.get("to", "")), said.get("lift") == "1"
    if wanted is None or expect is None:
        raise RequestError(400, "the form does not say what to promote: reload the page")
    if not reason:
        found, mistake = about_of(request), "A reason is needed: it stands in the history."
        return _confirmation(request, found, wanted, mistake=mistake, status=400)
    found = about_of(request)
    target = kept_in(found, wanted)
    if target is not None and target.quarantined is not None and not lift:
        mistake = f"Version {wanted} is in quarantine: tick the box if you know better."
        return _confirmation(request, found, wanted, reason, mistake, 400)
    try:
        number = to_promote(opened, name, wanted)
        moved = move_by_hand(
            opened, name, number, PROMOTE, reason, by=actor.name, lift=lift, expect=expect
        )
    except MovedError as error:
        return redirect(request, path_of(name), unmoved(opened, name, wanted, error), good=False)
    except PassingError:
        raise
    except (StoreError, UsageError) as error:
        mistake = "; ".join(f"{each.what}: {each.fix}" for each in error.mistakes)
        return _confirmation(request, about_of(request), wanted, reason, mistake, 409)
    return redirect(request, path_of(name), f"{moved.text}. Your reason: {reason}")


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

"""Who are you? A token is shown once, and a session begins; and ends, when one says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from seatrial.errors import StoreError
from seatrial.registry.loopback import is_loopback
from seatrial.web.access import sessions
from seatrial.web.access.gate import doors_of
from seatrial.web.access.secure import secure
from seatrial.web.drawing import is_ours, page, redirect
from seatrial.web.forms import form
from seatrial.web.visit import visit

if TYPE_CHECKING:
    from starlette.requests import Request


def ask(request: Request) -> Response:
    """The form that takes a token."""
    return _form(request, request.query_params.get("next", "/"))


def begin(request: Request) -> Response:
    """Begin a session with the token of the form."""
    doors, said = doors_of(request), form(request)
    to = said.get("next", "/")
    try:
        actor = doors.known(request, said.get("token", "").strip(), "login")
    except StoreError as error:
        return doors.refuse(request, error)
    if isinstance(actor, Response):
        return actor
    if actor is None:
        response = _form(request, to, "This token is unknown, has expired or was revoked.")
        response.status_code = 401
        return response
    doors.log("logged_in", name=actor.name, token=actor.token)
    before = visit(request).session
    if before is not None:
        doors.end(before)
    response = redirect(request, to, f"You are logged in as {actor.name} ({actor.role}).")
    session = sessions.begin(actor.token, doors.clock())
    sessions.remember(response, doors.key, session, secure=secure(request))
    return response


def end(request: Request) -> Response:
    """End the session, also for whoever else might have its cookie."""
    doors, session = doors_of(request), visit(request).session
    if session is not None:
        doors.end(session)
    response = redirect(request, "/login", "You are logged out.")
    sessions.forget(response, doors.key, secure=secure(request))
    return response


def enter(request: Request) -> Response:
    """Lead on to where a link of another site wanted to go."""
    return redirect(request, request.query_params.get("to", "/"))


def _form(request: Request, to: str, wrong: str = "") -> Response:
    plain = not secure(request) and not is_loopback(request.url.hostname or "")
    to = to if is_ours(to) else "/"
    return page(request, "login.html", title="Log in", to=to, wrong=wrong, plain=plain)


ROUTES = (
    Route("/login", ask, methods=["GET"], name="login"),
    Route("/login", begin, methods=["POST"]),
    Route("/logout", end, methods=["POST"], name="logout"),
    Route("/enter", enter, methods=["GET"]),
)

"""How an error is answered: as a page to people, as JSON to programs; never as a traceback."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.responses import JSONResponse, RedirectResponse

from seatrial.errors import (
    FileError,
    FormError,
    Mistake,
    PassingError,
    RequestError,
    SupersededError,
    UsageError,
)
from seatrial.web.forms import form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.errors import SeatrialError

API = "/api/"
RETRY_S = 5
"""So soon what passes by itself may have passed."""

STATUS: tuple[tuple[type[SeatrialError], int], ...] = (
    (PassingError, 503),
    (SupersededError, 409),
    (UsageError, 400),
    (FileError, 400),
    (FormError, 400),
)
"""By who must act; anything else is in our way, and so ours to put right."""

TITLES = {
    400: "That cannot be done",
    401: "Log in first",
    403: "That is not allowed",
    404: "There is no such page",
    405: "That cannot be done here",
    409: "As things stand, that cannot be done",
    408: "Too slow",
    413: "That is too long",
    415: "That cannot be read",
    421: "Unknown host",
    429: "Too often",
    503: "Not at the moment",
}


def status_of(error: SeatrialError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, RequestError):
        return error.status
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def answered(
    request: Request, error: SeatrialError, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a request that ran into an error."""
    status, more = status_of(error), dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        more.setdefault("Retry-After", str(RETRY_S))
    if request.url.path.startswith(API):
        if status == HTTPStatus.UNAUTHORIZED:
            more["WWW-Authenticate"] = 'Bearer realm="seatrial"'
        return JSONResponse(document(error), status, more)
    whole = "hx-request" not in request.headers
    if status == HTTPStatus.UNAUTHORIZED and request.method == "GET" and whole:
        return RedirectResponse(f"/login?next={quote(asked(request), safe='')}", 303, more)
    return _page(request, status, error, more)


def document(error: SeatrialError) -> dict[str, object]:
    """An error as the API says it: one sentence, and each mistake with its fix."""
    told = error.mistakes or (Mistake("something failed"),)
    return {
        "error": "; ".join(" ".join(mistake.what.split()) for mistake in told[:5]),
        "mistakes": [
            {"what": each.what, "where": each.where, "nearest": each.nearest, "fix": each.fix}
            for each in told[:20]
        ],
    }


def _page(
    request: Request, status: int, error: SeatrialError, headers: Mapping[str, str]
) -> Response:
    from seatrial.web.drawing import is_ours, page, part  # noqa: PLC0415 - it draws refusals too

    title = TITLES.get(status, "Something failed")
    whole = "hx-request" not in request.headers
    draw, name = (page, "error.html") if whole else (part, "mistakes.html")
    from_page = _from(request)
    said = {
        "title": title,
        "status": status,
        "mistakes": error.mistakes,
        "whole": whole,
        "back": from_page if is_ours(from_page) else "",
        "wrote": _reason(request) if from_page else "",
    }
    response = draw(request, name, **said)
    response.status_code = status
    response.headers.update(headers)
    return response


def _from(request: Request) -> str:
    """The page of ours whose form was sent, as far as the browser says so; else nothing."""
    if request.method != "POST":
        return ""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if parts.netloc != request.headers.get("host"):
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _reason(request: Request) -> str:
    """What a person has written into a form that is refused: they need not think of it again."""
    try:
        return form(request).get("reason", "").strip()
    except RequestError:
        return ""


def asked(request: Request) -> str:
    """What was asked for, as it was written: path and query."""
    path = quote(request.url.path)
    return f"{path}?{request.url.query}" if request.url.query else path

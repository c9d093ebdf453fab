"""How a page becomes an answer: its template, and what every page shows around it."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import ChoiceLoader, PackageLoader
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from seatrial.registry.tokens import Role
from seatrial.report.html import prepared
from seatrial.web.access import csrf as forms_word
from seatrial.web.access.secure import secure
from seatrial.web.visit import visit

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

    from seatrial.web.access.key import Key

SAID = "seatrial_said"
SAID_S = 60
GOOD, BAD = b"+", b"-"
LONGEST_SAID = 2500
"""Bytes: with its signature it must fit into what browsers keep as one cookie, 4096."""

PLACES = (
    ("overview", "/", "Overview"),
    ("runs", "/runs", "Runs"),
    ("registry", "/models", "Registry"),
    ("reviews", "/reviews", "Reviews"),
    ("data", "/data", "Data"),
    ("environment", "/environment", "Environment"),
    ("schedules", "/schedules", "Schedules"),
)
"""What the head of every page leads to: the word for ``here``, the path, what is shown."""


def page(request: Request, template: str, **content: Any) -> Response:
    """A whole page. ``title`` and ``here`` (a word of :data:`PLACES`) should be said.

    What was said by :func:`redirect` is shown above it, once.
    """
    key = request.app.state.doors.key
    name = _said_name(key)
    sealed = request.cookies.get(name)
    content.setdefault("here", "")
    said = None if sealed is None else _unsealed(key, sealed)
    response = HTMLResponse(_drawn(request, template, {**content, "said": said}))
    if sealed is not None:
        response.delete_cookie(name, httponly=True, samesite="strict", secure=secure(request))
    return response


def part(request: Request, template: str, **content: Any) -> Response:
    """A part of a page, for htmx to put in its place."""
    return HTMLResponse(_drawn(request, template, content))


def redirect(request: Request, to: str, said: str = "", *, good: bool = True) -> Response:
    """Lead on to another page after a change; ``said`` is shown there, as good news or bad.

    ``to`` is a path of ours; anything else leads to the first page.
    """
    response: Response = RedirectResponse(to if is_ours(to) else "/", 303)
    if "hx-request" in request.headers:
        there = response.headers["location"]  # quoted: a header holds no other letters than ASCII
        response = Response(status_code=204, headers={"HX-Redirect": there})
    if said:
        key: Key = request.app.state.doors.key
        response.set_cookie(
            _said_name(key),
            _sealed(key, said, good=good),
            max_age=SAID_S,
            httponly=True,
            samesite="strict",
            secure=secure(request),
        )
    return response


def is_ours(path: str) -> bool:
    r"""Whether a path leads to a page of ours; browsers read ``//x`` and ``/\x`` as other sites.

    >>> [is_ours(path) for path in ("/runs?a=1", "//evil", "/\\evil", "https://evil", "", "/\tx")]
    [True, False, False, False, False, False]
    """
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isprintable()
        and "\\" not in path
    )


@cache
def environment() -> Environment:
    """Templates of the pages, and those that draw the parts of a report."""
    ours = [PackageLoader(package) for package in ("seatrial.web", "seatrial.report.html")]
    return prepared(ChoiceLoader(ours))


def _drawn(request: Request, template: str, content: dict[str, Any]) -> str:
    known, state = visit(request), request.app.state
    word = None
    if known.session is not None:
        word = forms_word.word(state.doors.key, known.session)
    around = {
        "actor": known.actor,
        "operates": known.actor is not None and known.actor.role is Role.OPERATOR,
        "session": known.session,
        "csrf": lambda: _field(word),
        "csrf_word": word,
        "asset": state.assets.address,
        "path": request.url.path,
        "places": PLACES,
        "title": "seatrial",
    }
    return environment().get_template(template).render({**around, **content})


def _field(word: str | None) -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(word or "")


def _said_name(key: Key) -> str:
    return f"{SAID}_{key.sign('cookie', SAID)[:8]}"


def _sealed(key: Key, said: str, *, good: bool) -> str:
    told = (GOOD if good else BAD) + said.encode(errors="replace")[:LONGEST_SAID]
    text = base64.urlsafe_b64encode(told).decode()
    return f"{text}.{key.sign('said', text)}"


def _unsealed(key: Key, sealed: str) -> dict[str, Any] | None:
    text, _, signature = sealed.rpartition(".")
    if not signature.isascii() or not key.signed("said", text, signature):
        return None
    told = base64.urlsafe_b64decode(text)
    return {"good": told[:1] == GOOD, "text": told[1:].decode(errors="ignore")}

"""Was a change meant by who is logged in, or did another site have their browser send it?

Two answers are demanded, and either would do: a field that only our own pages know, and where the
browser says that the request comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.errors import RequestError
from seatrial.web import forms

if TYPE_CHECKING:
    from starlette.requests import Request

    from seatrial.web.access.hosts import Hosts
    from seatrial.web.access.key import Key
    from seatrial.web.access.sessions import Session

FIELD = "csrf"
HEADER = "X-CSRF-Token"
PURPOSE = "form"


def word(key: Key, session: Session) -> str:
    """What the forms of a session carry; it stays when the session is renewed."""
    return key.sign(PURPOSE, f"{session.token}.{session.mark}")


def demand_word(key: Key, session: Session, request: Request, body: bytes) -> None:
    """:class:`RequestError` 403 unless the request carries the word of its session."""
    given = request.headers.get(HEADER)
    if given is None and _is_form(request):
        given = forms.fields(body).get(FIELD)
    if given is None or not key.signed(PURPOSE, f"{session.token}.{session.mark}", given):
        raise RequestError(403, "this form was not made for your session: go back and reload it")


def demand_own(hosts: Hosts, request: Request) -> None:
    """:class:`RequestError` 403 when the request comes from another site, or does not say."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        raise RequestError(403, "the browser does not say where this comes from (Origin)")
    if site is not None and site != "same-origin":
        raise RequestError(403, "this was sent by another site")
    if origin is not None and not hosts.known(_host_of(origin)):
        raise RequestError(403, "this was sent by another site")


def _host_of(origin: str) -> str:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc if parts.scheme in {"http", "https"} else ""


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == forms.TYPE

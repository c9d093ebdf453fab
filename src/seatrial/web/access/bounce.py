"""A link in a message leads here from another site: then the browser sends no cookie at first.

Cookies with ``SameSite=Strict`` come with requests that our own pages cause. So such a visitor is
answered by a page that leads on to :data:`ENTER`, and from there to where they wanted; whoever is
logged in then is so on the page that the link names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import escape
from starlette.responses import HTMLResponse

from seatrial.web.refusals import asked

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

ENTER = "/enter"


def needed(request: Request, cookie: str) -> bool:
    """Whether a person follows a link of another site, and no cookie came along."""
    said = request.headers.get
    return (
        request.method == "GET"
        and said("sec-fetch-site") == "cross-site"
        and said("sec-fetch-mode") == "navigate"
        and said("sec-fetch-dest") == "document"
        and cookie not in request.cookies
        and request.scope["path"] != ENTER
    )


def answer(request: Request) -> Response:
    """The page that leads on."""
    there = escape(f"{ENTER}?to={quote(asked(request), safe='')}")
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>seatrial</title>'
        f'<meta http-equiv="refresh" content="0; url={there}">'
        '<link rel="icon" href="data:,"></head>'
        f'<body><p><a href="{there}">Continue</a></p></body></html>'
    )

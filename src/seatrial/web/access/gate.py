"""The gate: every request is for us, known by whom, and allowed, before a page sees it.

What is not let in here is let in nowhere: a page that is added later is guarded without its author
doing anything for it.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from seatrial.errors import Mistake, PassingError, RequestError, SeatrialError, StoreError
from seatrial.registry import tokens
from seatrial.web import body
from seatrial.web.access import bounce, csrf, sessions
from seatrial.web.access.actor import demanded
from seatrial.web.access.secure import secure
from seatrial.web.forms import UNWRITABLE
from seatrial.web.refusals import answered
from seatrial.web.visit import KEY, Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from seatrial.registry.tokens import Actor
    from seatrial.web.access.failures import Failures
    from seatrial.web.access.hosts import Hosts
    from seatrial.web.access.key import Key
    from seatrial.web.access.sessions import Session
    from seatrial.web.opened import Opened
    from seatrial.web.settings import Settings

READING = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing (RFC 9110, 9.2.1); any other needs an operator."""

LOGIN, LOGOUT = "/login", "/logout"
STATIC = "/static/"

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via")
"""What a proxy adds: then others than this machine reach the port, wherever it listens."""

SCHEME = "bearer "


@dataclass(slots=True)
class Doors:
    """What the gate and the login know and share."""

    settings: Settings
    hosts: Hosts
    key: Key
    failures: Failures
    opened: Opened
    log: Callable[..., None]
    clock: Callable[[], float] = time.time
    ended: dict[str, float] = field(default_factory=dict)
    """Sessions that were logged out, by their mark, until when they would have lived."""

    noted: dict[str, int] = field(default_factory=dict)
    """The hour in which the use of a token was last noted, by its id."""

    def end(self, session: Session) -> None:
        """Let a session never come in again; forgotten when the server ends."""
        now = self.clock()
        for mark, until in list(self.ended.items()):  # others may do the same just now
            if until < now:
                self.ended.pop(mark, None)
        self.ended[session.mark] = session.begun_s + sessions.LONGEST_S

    def session_of(self, request: Request) -> Session | None:
        """The session that a browser's cookie names."""
        value = request.cookies.get(sessions.cookie_of(self.key))
        session = None if value is None else sessions.unseal(self.key, value, self.clock())
        return None if session is None or session.mark in self.ended else session

    def known(self, request: Request, text: str, how: str) -> Actor | Response | None:
        """Whose token this is; None of one that is none; the answer to who was wrong too often.

        Whose token is right waits only after guesses at it, however often others have failed.
        """
        actor = tokens.check(self.opened().ledger, text)
        address, token = address_of(request), tokens.id_of(text)
        wait_s = self.failures.wait_s(address, token if actor else "")
        if actor is None:
            if token:
                self.failures.note(address, token)
            if not wait_s:
                self.failures.note(address)
                self.log("refused", how=how, client=address)
        if not wait_s:
            return actor
        error = RequestError(429, "too many failed attempts: wait a little")
        return answered(request, error, {"Retry-After": str(int(wait_s) + 1)})

    def refuse(self, request: Request, error: SeatrialError) -> Response:
        """The answer to who was not let in; the log has what was in the way, whole."""
        why = str(error)
        if not isinstance(error, RequestError):
            # whoever was not let in need not learn where the ledger lies
            error = PassingError(Mistake("the ledger cannot be read now", fix="try again later"))
        answer = answered(request, error)
        told = {"method": request.method, "path": request.url.path, "client": address_of(request)}
        self.log("not_let_in", status=answer.status_code, why=why, **told)
        return answer

    def in_use(self, actor: Actor) -> None:
        """Note, once an hour, that a token is in use; nobody waits long for that, or fails."""
        hour = int(self.clock() // 3600)
        if self.noted.get(actor.token) != hour:
            self.noted[actor.token] = hour
            with contextlib.suppress(StoreError):
                tokens.note_use(self.opened().ledger, actor.token)


def doors_of(request: Request) -> Doors:
    """Those of the application that answers a request."""
    return cast("Doors", request.app.state.doors)


def address_of(request: Request) -> str:
    """Who is at the other end of the connection: what headers say of it anybody can write."""
    return request.client.host if request.client else ""


class Gate:
    """The application, behind the gate."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self.app = app
        self.doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a WebSocket is never accepted
        request = Request(scope, receive)
        try:
            self.doors.hosts.demand(request)
            _demand_writable(request)
            sent = await body.read(request)
            scope[KEY] = Visit(body=sent)  # who is refused may see what they wrote
            found = await run_in_threadpool(self._admit, request, sent)
        except SeatrialError as error:
            found = self.doors.refuse(request, error)
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        scope[KEY] = found
        await self.app(scope, body.again(sent, receive), self._renewing(found, request, send))

    def _admit(self, request: Request, sent: bytes) -> Visit | Response:
        if _path(request).startswith(STATIC):
            return Visit()
        shown = request.headers.get("authorization")
        if shown is not None:
            actor = self._bearer(request, shown)
            if isinstance(actor, Response):
                return actor
            visit = Visit(actor=actor, body=sent)
        else:
            if bounce.needed(request, sessions.cookie_of(self.doors.key)):
                return bounce.answer(request)
            visit = self._browser(request, sent)
        if visit.actor is not None:
            self.doors.in_use(visit.actor)
        self._demand(request, visit)
        return visit

    def _bearer(self, request: Request, shown: str) -> Actor | Response:
        """Whoever shows a token with the request itself, as programs do."""
        text = shown[len(SCHEME) :].strip() if shown.lower().startswith(SCHEME) else ""
        actor = self.doors.known(request, text, "token")
        if actor is None:
            raise RequestError(401, "this token is unknown, has expired or was revoked")
        return actor

    def _browser(self, request: Request, sent: bytes) -> Visit:
        """Whoever comes with a cookie, or with nothing; a change must have been meant."""
        reading, path = request.method in READING, _path(request)
        session = self.doors.session_of(request)
        if not reading and (session is not None or path in {LOGIN, LOGOUT}):
            csrf.demand_own(self.doors.hosts, request)
        actor = None
        if session is not None:
            actor = tokens.actor_of(self.doors.opened().ledger, session.token)
        if session is None or actor is None:
            return Visit(body=sent)
        if not reading and path != LOGIN:
            csrf.demand_word(self.doors.key, session, request, sent)
        return Visit(actor=actor, session=session, body=sent)

    def _demand(self, request: Request, visit: Visit) -> None:
        if _path(request) in {LOGIN, LOGOUT, bounce.ENTER}:
            return
        if request.method not in READING:
            demanded(visit.actor)
        elif visit.actor is None and not self._open(request):
            raise RequestError(401, "looking needs a token here: log in, or send one")

    def _open(self, request: Request) -> bool:
        """Whether one may look without a token."""
        forwarded = any(name in request.headers for name in FORWARDED)
        return self.doors.settings.local and not forwarded

    def _renewing(self, visit: Visit, request: Request, send: Send) -> Send:
        """Send as before; a session in use is renewed beside it."""
        session, now = visit.session, self.doors.clock()
        if session is None or now - session.renewed_s < sessions.RENEW_S:
            return send
        name = sessions.cookie_of(self.doors.key)

        async def renewing(message: Message) -> None:
            if message["type"] == "http.response.start" and session.mark not in self.doors.ended:
                headers = MutableHeaders(scope=message)
                set_already = any(
                    value.startswith(f"{name}=") for value in headers.getlist("set-cookie")
                )
                if not set_already:
                    cookie = Response()
                    renewed = session.renewed(now)
                    sessions.remember(cookie, self.doors.key, renewed, secure=secure(request))
                    headers.append("set-cookie", cookie.headers["set-cookie"])
            await send(message)

        return renewing


def _path(request: Request) -> str:
    """The path by which a page is found, letter by letter: what is guarded is what is answered."""
    return cast("str", request.scope["path"])


def _demand_writable(request: Request) -> None:
    """:class:`RequestError` where a text is asked for that no database holds."""
    if UNWRITABLE in _path(request):
        raise RequestError(404, "nothing has the letter NUL in its name")
    if UNWRITABLE in unquote(request.url.query):
        raise RequestError(400, "nothing has the letter NUL in its name")

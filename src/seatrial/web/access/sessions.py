"""A session: a browser that showed a token stays known by a signed cookie, over restarts too.

The cookie holds no secret of the token: its id, when the session began, when it was renewed, and
random bytes. Nothing is kept on the server, so every request asks whether the token is still valid.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

    from seatrial.web.access.key import Key

COOKIE = "seatrial_session"
LIFE_S = 12 * 3600
"""So long after its last renewal a session ends."""

RENEW_S = 3600
"""One that is older, and in use, is renewed."""

LONGEST_S = 7 * 24 * 3600
"""So long after it began it ends in any case."""

EARLY_S = 60
"""So far a clock may have been set back."""

PURPOSE = "session"
FORM = re.compile(r"1\.([a-z2-7]{1,32})\.([0-9]{1,12})\.([0-9]{1,12})\.([0-9a-f]{32})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """``token`` is an id; times are whole seconds of Unix; ``mark`` tells it from all others."""

    token: str
    begun_s: int
    renewed_s: int
    mark: str

    def text(self) -> str:
        """What is signed."""
        return f"1.{self.token}.{self.begun_s}.{self.renewed_s}.{self.mark}"

    def alive(self, now_s: float) -> bool:
        """Whether it still counts."""
        renewed, begun = now_s - self.renewed_s, now_s - self.begun_s
        return -EARLY_S <= renewed < LIFE_S and -EARLY_S <= begun < LONGEST_S

    def renewed(self, now_s: float) -> Session:
        """The same one, later."""
        return replace(self, renewed_s=int(now_s))


def begin(token: str, now_s: float) -> Session:
    """A new session of somebody who just showed the token with this id."""
    return Session(
        token=token, begun_s=int(now_s), renewed_s=int(now_s), mark=secrets.token_hex(16)
    )


def seal(key: Key, session: Session) -> str:
    """The cookie's value."""
    return f"{session.text()}.{key.sign(PURPOSE, session.text())}"


def unseal(key: Key, value: str, now_s: float) -> Session | None:
    """The session of a cookie; None of one that was not made here, or has ended."""
    text, _, signature = value.rpartition(".")
    form = FORM.fullmatch(text)
    if form is None or not signature.isascii() or not key.signed(PURPOSE, text, signature):
        return None
    token, begun, renewed, mark = form.groups()
    session = Session(token=token, begun_s=int(begun), renewed_s=int(renewed), mark=mark)
    return session if session.alive(now_s) else None


def cookie_of(key: Key) -> str:
    """The cookie's name. Cookies know no ports: each home of a machine has a name of its own."""
    return f"{COOKIE}_{key.sign('cookie', COOKIE)[:8]}"


def remember(response: Response, key: Key, session: Session, *, secure: bool) -> None:
    """Have the browser keep the session."""
    response.set_cookie(
        cookie_of(key),
        seal(key, session),
        max_age=LIFE_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def forget(response: Response, key: Key, *, secure: bool) -> None:
    """Have the browser drop it."""
    response.delete_cookie(
        cookie_of(key), path="/", secure=secure, httponly=True, samesite="strict"
    )

"""What is known of a request once it was let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from seatrial.registry.tokens import Actor
    from seatrial.web.access.sessions import Session

KEY = "seatrial.visit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who asks, in which session of a browser, and what was sent along.

    ``actor`` is None of who only looks at a port that everybody on this machine may look at.
    """

    actor: Actor | None = None
    session: Session | None = None
    body: bytes = b""


NOBODY = Visit()


def visit(request: HTTPConnection) -> Visit:
    """What the gate has found out about a request."""
    return cast("Visit", request.scope.get(KEY, NOBODY))

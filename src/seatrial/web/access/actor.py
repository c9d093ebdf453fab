"""Who asks, as a page wants to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import RequestError
from seatrial.registry.tokens import Actor, Role
from seatrial.web.visit import visit

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

ANYBODY = Actor(name="anybody", role=Role.VIEWER, token="")
"""Who looks, without a token, at a port that only this machine reaches."""


def viewer(request: HTTPConnection) -> Actor:
    """Who looks. That they may, the gate has seen to."""
    return visit(request).actor or ANYBODY


def operator(request: HTTPConnection) -> Actor:
    """Who changes something; :class:`RequestError` 401 without a token, 403 with a viewer's."""
    return demanded(visit(request).actor)


def demanded(actor: Actor | None) -> Actor:
    """The same, if they may change something."""
    if actor is None:
        raise RequestError(401, "that needs an operator's token: log in, or send one")
    if actor.role is not Role.OPERATOR:
        raise RequestError(
            403, f"the token of {actor.name} is a viewer's: it may look, and change nothing"
        )
    return actor

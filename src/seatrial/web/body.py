"""What a request carries, read whole before anybody looks at it, and never more than so much."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from seatrial.errors import RequestError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Message, Receive

LONGEST = 1 << 20
"""Bytes: reasons and labels are short, and a comparison names what it wants."""

PATIENCE_S = 30.0
"""So long one may take to send it."""


async def read(request: Request) -> bytes:
    """The body; :class:`RequestError` when it is longer than :data:`LONGEST`, or too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdecimal() and int(declared[:20]) > LONGEST:
        raise _too_long()
    parts, length = [], 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for part in request.stream():
                length += len(part)
                if length > LONGEST:
                    raise _too_long()
                parts.append(part)
    except TimeoutError as error:
        raise RequestError(408, "the request took too long to arrive") from error
    except ClientDisconnect as error:
        raise RequestError(400, "the request ended in its middle") from error
    return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """A channel that brings a body that was read before, once; then what ``receive`` brings."""
    brought = False

    async def bring() -> Message:
        nonlocal brought
        if brought:
            return await receive()
        brought = True
        return {"type": "http.request", "body": body, "more_body": False}

    return bring


def _too_long() -> RequestError:
    return RequestError(413, f"the request is longer than {LONGEST} bytes")

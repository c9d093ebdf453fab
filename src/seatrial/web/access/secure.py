"""Does the browser speak to us through TLS? Then its cookies shall go no other way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request


def secure(request: Request) -> bool:
    """Whether it does, as far as we are told.

    A header that anybody can write is believed: a lie can only make one's own cookie stricter.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    standard = request.headers.get("forwarded", "").lower()
    return "https" in {request.url.scheme, forwarded} or "proto=https" in standard

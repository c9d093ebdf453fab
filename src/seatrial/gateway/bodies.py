"""Read a request's body: never more than is allowed, packed or not."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

from seatrial.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = 8
"""How many times the allowed size of a body is read before a client is cut off."""

PACKED = frozenset({"gzip", "deflate"})
_ANY_WRAPPER = 47
"""zlib's window bits for "gzip or zlib, see for yourself"."""
_RAW = -15
"""zlib's window bits for deflate without a wrapper, which some clients send as "deflate"."""


class Incoming(Protocol):
    """The body of an RSGI request."""

    async def __call__(self) -> bytes:
        """All of it."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Piece by piece."""
        ...


async def body(incoming: Incoming, length: str | None, encoding: str | None, most: int) -> bytes:
    """The body, unpacked; RequestError 413 above ``most`` bytes, 415 or 400 when it is no such."""
    if length is None:
        read = await _unannounced(incoming, most)
    elif int(length) > most:
        await _discard(incoming, most)
        raise _too_large(most)
    else:
        read = await incoming()
    encoding = (encoding or "identity").lower()
    if encoding == "identity":
        return read
    if encoding not in PACKED:
        raise RequestError(415, f"content-encoding {encoding!r} is not understood: gzip, deflate")
    return unpacked(read, encoding, most)


async def _unannounced(incoming: Incoming, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in incoming:
        size += len(piece)
        if size > most:
            await _discard(incoming, most)
            raise _too_large(most)
        pieces.append(piece)
    return b"".join(pieces)


async def _discard(incoming: Incoming, most: int) -> None:
    """Read on for a while: many clients look for an answer only when they have sent it all."""
    size = 0
    async for piece in incoming:
        size += len(piece)
        if size > PATIENCE * most:
            return


def unpacked(packed: bytes, encoding: str, most: int) -> bytes:
    """Unpack gzip or deflate; a small body that unpacks to a huge one is refused at ``most``."""
    try:
        return _inflated(packed, _ANY_WRAPPER, most)
    except zlib.error as error:
        if encoding == "deflate":
            try:
                return _inflated(packed, _RAW, most)
            except zlib.error:
                pass
        raise RequestError(400, f"the body is not {encoding}: {error}") from error


def _inflated(packed: bytes, bits: int, most: int) -> bytes:
    read = b""
    while packed:  # gzip may have several members, one behind the other
        stream = zlib.decompressobj(bits)
        read += stream.decompress(packed, most + 1 - len(read))
        if len(read) > most:
            raise _too_large(most)
        if not stream.eof:
            raise zlib.error("it ends too early")
        packed = stream.unused_data
    return read


def _too_large(most: int) -> RequestError:
    return RequestError(
        413,
        f"the body is larger than {most / (1 << 20):g} MB (serving.max_body_mb): send fewer rows",
    )

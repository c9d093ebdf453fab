"""Ids of requests that bring none."""

from __future__ import annotations

from random import getrandbits

_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM = (1 << 62) - 1


def uuid7(at_ms: int) -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds since 1970, 74 random bits.

    >>> uuid7(0)[:19].startswith("00000000-0000-7"), len(uuid7(0))
    (True, 36)
    """
    bits = getrandbits(74)
    number = at_ms << 80 | _VERSION | bits >> 62 << 64 | _VARIANT | bits & _RANDOM
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

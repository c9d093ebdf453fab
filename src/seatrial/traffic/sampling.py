"""Which requests are in a sample? Decided by the request's id alone, so that everybody agrees."""

from __future__ import annotations

from zlib import crc32

_ALL = 1 << 32


def sampled(identity: str, share_percent: float) -> bool:
    """Whether a request is in a sample of ``share_percent`` of all.

    A greater share holds every request of a smaller one.

    >>> sampled("r1", 100), sampled("r1", 0)
    (True, False)
    >>> sum(sampled(f"request {number}", 10) for number in range(10_000))
    1020
    """
    return crc32(identity.encode()) * 100 < share_percent * _ALL

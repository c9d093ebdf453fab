"""Where the control port listens, and under which names it is asked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``names`` are further hosts, as a browser writes them: ``ml.example.com[:PORT]``.

    Whoever gives such a name has something in front of the port that others reach.
    """

    home: Path
    host: str
    port: int
    names: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether only this machine can ask: then one may look without a token."""
        return is_loopback(self.host) and not self.names


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.7")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""Does an address mean this machine alone?"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


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


def leads_here(address: str) -> bool:
    """Whether whoever opens it elsewhere lands on a machine of their own.

    >>> leads_here("http://127.0.0.1:8081"), leads_here("https://ml.example.com")
    (True, False)
    """
    return is_loopback(urlsplit(address).hostname or "")

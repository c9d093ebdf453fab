"""How often somebody may be wrong: a few times at once, then now and then.

Many share an address, behind a proxy all. So the failures of an address keep out only who fails
again, and a token that is right is kept out only by guesses at that very token.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 5
AGAIN_S = 2.0
"""One address may fail so often at once, and then once in so long."""

ALL_AT_ONCE = 50
ALL_AGAIN_S = 0.2
"""The same of everybody together; who never failed before is not kept out by others."""

MOST_ADDRESSES = 4096


@dataclass(slots=True)
class _Purse:
    """What is left to be lost, and since when it fills."""

    left: float
    at_s: float

    def fill(self, now_s: float, most: int, again_s: float) -> None:
        self.left = min(float(most), self.left + (now_s - self.at_s) / again_s)
        self.at_s = now_s


class Failures:
    """Failures of addresses, and of addresses with one token, in memory.

    The oldest are forgotten beyond :data:`MOST_ADDRESSES`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._all = _Purse(ALL_AT_ONCE, clock())
        self._of: OrderedDict[str, _Purse] = OrderedDict()

    def wait_s(self, address: str, token: str = "") -> float:
        """How long this address must wait before it may try again; 0: it may.

        With the id of a ``token``: before it may show this one, which others cannot use up.
        """
        now = self._clock()
        with self._lock:
            own = self._of.get(_name(address, token))
            if own is None:
                return 0.0
            own.fill(now, AT_ONCE, AGAIN_S)
            self._all.fill(now, ALL_AT_ONCE, ALL_AGAIN_S)
            waits = (1 - own.left) * AGAIN_S, 0 if token else (1 - self._all.left) * ALL_AGAIN_S
            return max(0.0, *waits)

    def note(self, address: str, token: str = "") -> None:
        """Count a failure of this address, or of what it says to be the ``token`` with that id."""
        now, name = self._clock(), _name(address, token)
        with self._lock:
            own = self._of.setdefault(name, _Purse(AT_ONCE, now))
            self._of.move_to_end(name)
            own.fill(now, AT_ONCE, AGAIN_S)
            own.left = max(0.0, own.left - 1)
            if not token:
                self._all.fill(now, ALL_AT_ONCE, ALL_AGAIN_S)
                self._all.left = max(0.0, self._all.left - 1)
            while len(self._of) > MOST_ADDRESSES:
                self._of.popitem(last=False)


def _name(address: str, token: str) -> str:
    return f"{network(address)} {token}".rstrip()


def network(address: str) -> str:
    """What counts as one address: of IPv6 the first half, of which one customer has all.

    >>> network("10.1.2.3"), network("2001:db8::1:2"), network("")
    ('10.1.2.3', '2001:db8::/64', '')
    """
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if number.version == 4:  # noqa: PLR2004 - IPv4
        return address
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return str(ipaddress.ip_network((number, 64), strict=False))

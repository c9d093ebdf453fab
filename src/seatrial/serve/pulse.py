"""What do the live gateways count now? Asked beside whoever wants to know.

Who looks never waits for a gateway: what was heard last is told at once, and the gateways are asked
anew in threads of their own, at most once a second.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial import workspace
from seatrial.errors import PassingError
from seatrial.gateway.scraped import scrape
from seatrial.registry import gateways

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.gateway.scraped import Scraped
    from seatrial.registry.gateways import Gateway
    from seatrial.registry.project import Project

MOST = 8
"""So many gateways are asked; of more, the rest is counted."""

EVERY_S = 1.0
WINDOW_S = 30.0
"""How often a gateway is asked at most, and how far apart two looks are compared at most."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - only compared
"""What a gateway listens on when it does so on all addresses, and one of these."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What is known of one live gateway.

    ``looks`` are the first and the last at what it has counted, of the last half minute; the same
    one twice where there was only one yet. None while it is ``unheard``, since it is only being
    asked, or in ``trouble``, which says why it was not heard.
    """

    gateway: Gateway
    looks: tuple[Scraped, Scraped] | None
    trouble: str = ""
    unheard: bool = False


@dataclass(slots=True)
class _Ear:
    """What was heard of one gateway, newest last."""

    heard: deque[Scraped] = field(default_factory=deque)
    trouble: str = ""
    asked_s: float | None = None
    asking: bool = False


class Pulse:
    """Keeps what was heard of each live gateway."""

    def __init__(
        self,
        ask: Callable[[str, int], Scraped] = scrape,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._clock = ask, clock
        self._lock = threading.Lock()
        self._ears: dict[str, _Ear] = {}

    def look(self, project: Project) -> tuple[list[Beat], int]:
        """What is known of each live gateway, oldest first, and how many more there are."""
        live = gateways.live(project.ledger, project.workspace.home)
        here, shown = workspace.machine(project.workspace.home), live[:MOST]
        with self._lock:
            self._ears = {each.id: self._ears.get(each.id, _Ear()) for each in shown}
            beats = [self._listen(each, self._ears[each.id], here) for each in shown]
        return beats, len(live) - len(shown)

    def _listen(self, gateway: Gateway, ear: _Ear, here: str) -> Beat:
        """What is known; and ask anew, where that was long enough ago."""
        now = self._clock()
        if not ear.asking and (ear.asked_s is None or now - ear.asked_s >= EVERY_S):
            try:
                host, port = place(gateway.address, local=gateway.host == here)
            except ValueError as error:
                ear.trouble, ear.asked_s = str(error), now
            else:
                ear.asked_s, ear.asking = now, True
                wanted = (ear, host, port)
                threading.Thread(target=self._hear, args=wanted, daemon=True).start()
        while ear.heard and (ear.trouble or now - ear.heard[0].at_s > WINDOW_S):
            ear.heard.popleft()
        looks = (ear.heard[0], ear.heard[-1]) if ear.heard else None
        return Beat(gateway, looks, ear.trouble, unheard=looks is None and not ear.trouble)

    def _hear(self, ear: _Ear, host: str, port: int) -> None:
        scraped, trouble = None, ""
        try:
            scraped = self._ask(host, port)
        except PassingError as error:
            trouble = error.mistakes[0].what
        finally:
            with self._lock:
                ear.asking, ear.trouble = False, trouble
                if scraped is not None:
                    ear.heard.append(scraped)


def place(address: str, *, local: bool) -> tuple[str, int]:
    """Host and port at which a gateway is asked; ValueError where that cannot be known.

    >>> place("http://127.0.0.1:8080", local=True), place("http://0.0.0.0:8080", local=True)
    (('127.0.0.1', 8080), ('127.0.0.1', 8080))
    >>> place("http://[::1]:8080", local=True)
    ('::1', 8080)
    """
    host, _, port = address.partition("://")[2].rpartition(":")
    host = host.strip("[]")
    if not port.isdecimal():
        raise ValueError(f"its address {address!r} names no port")
    if host in _EVERYWHERE and not local:
        raise ValueError("it runs on another machine, and does not say at which address")
    return (_EVERYWHERE.get(host, host), int(port))

"""Is a request meant for us? A name of another site may be made to lead to this machine.

A page of that other site would then read ours as its own (DNS rebinding). So a request must name a
host under which we listen.
"""

from __future__ import annotations

import ipaddress
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import RequestError
from seatrial.registry.loopback import is_loopback

if TYPE_CHECKING:
    from starlette.requests import Request

    from seatrial.web.settings import Settings

DEFAULTS = {"80", "443"}
"""Ports that browsers leave out."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts that a port answers to."""

    settings: Settings

    def known(self, host: str) -> bool:
        """Whether ``NAME[:PORT]``, as a browser writes it, is one of them."""
        host = host.lower()
        name, port = _split(host)
        for more in self.settings.names:
            wanted = more.lower()
            if host == wanted or (":" not in wanted and name == wanted and self._ours(port)):
                return True
        return self._ours(port) and self._here(name)

    def demand(self, request: Request) -> None:
        """:class:`RequestError` 421 (RFC 9110, 15.5.20) unless the request names one of them."""
        named = request.headers.getlist("host")
        if len(named) != 1 or not self.known(named[0]):
            raise RequestError(
                421,
                "this host name is not known here: start `seatrial serve` with"
                " --control-host-name NAME[:PORT], as the browser shows it",
            )

    def _ours(self, port: str) -> bool:
        ours = str(self.settings.port)
        return port == ours or (not port and ours in DEFAULTS)

    def _here(self, name: str) -> bool:
        """Names of this machine. A number was looked up nowhere: elsewhere than here it is safe."""
        if name == "localhost" or name == self.settings.host.lower():
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return not is_loopback(self.settings.host) and name == platform.node().lower()
        if "%" in name:  # the zone of an IPv6 address is any text, and no browser sends one
            return False
        return number.is_loopback or not is_loopback(self.settings.host)


def _split(host: str) -> tuple[str, str]:
    """Name and port of a host.

    >>> _split("localhost:8081"), _split("[::1]:8081"), _split("[::1]"), _split("a")
    (('localhost', '8081'), ('::1', '8081'), ('::1', ''), ('a', ''))
    """
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port

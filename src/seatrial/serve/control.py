"""Where the page listens: on a socket that the supervisor keeps, whatever becomes of the page."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seatrial.errors import Mistake, StoreError, UsageError
from seatrial.registry import tokens
from seatrial.registry.loopback import is_loopback
from seatrial.serve.listening import listen

if TYPE_CHECKING:
    import socket

    from seatrial.ledger.store import Ledger

PORT = 8081


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Where the control port shall be; without ``port`` :data:`PORT`, or any if that is taken.

    ``names`` are further hosts under which browsers ask for it: ``ml.example.com[:PORT]``.
    ``url`` is what links to it begin with, where that is not the host and the port; its host is a
    name too.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    names: tuple[str, ...] = ()
    url: str | None = None

    def __post_init__(self) -> None:
        """:class:`UsageError` unless the address is one of a host alone."""
        if self.url is None:
            return
        url, host = self.url.rstrip("/"), _host_of(self.url)
        object.__setattr__(self, "url", url)
        object.__setattr__(self, "names", tuple(dict.fromkeys((*self.names, host))))

    def link(self, address: str) -> str | None:
        """What links begin with; None where nobody knows under which name this machine is reached.

        ``address`` is where it listens.
        """
        return self.url or (None if self.host in {"0.0.0.0", "::"} else address)  # noqa: S104

    @property
    def local(self) -> bool:
        """Whether only this machine can ask: then one may look without a token."""
        return is_loopback(self.host) and not self.names


def demand_token(control: Control, ledger: Ledger) -> None:
    """:class:`UsageError` where others would reach the port, and nobody has a token.

    A token that has expired is one, too: a gateway that is started again at night must not fail
    for it, and nobody comes in.
    """
    if control.local or any(token.revoked is None for token in tokens.known(ledger)):
        return
    named = control.names[0] if control.names else control.host
    raise UsageError(
        Mistake(
            f"others would reach the control port ({named}), and nobody has a token",
            fix="`seatrial token create NAME --role operator` first; or --no-control",
        )
    )


def opened(control: Control) -> socket.socket:
    """Its socket, listening."""
    if control.port is None:
        # two projects on one machine are usual: the second page has another port
        with contextlib.suppress(StoreError):
            return listen(control.host, PORT, "--control-port")
    return listen(control.host, control.port or 0, "--control-port")


def _host_of(url: str) -> str:
    """The host of an address, as browsers send it: ``ml.example.com[:PORT]``."""
    try:
        parts = urlsplit(url.rstrip("/"))
        fits = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        rest = parts.path or parts.query or parts.fragment
        fits = bool(fits) and not rest and url.isprintable() and " " not in url
        _ = parts.port
    except ValueError:
        fits = False
    if not fits:
        fix = "write the beginning of every address there, such as https://ml.example.com"
        raise UsageError(Mistake(f"{url!r} is no address of a host", "--control-url", fix=fix))
    return parts.netloc


def address_of(host: str, port: int) -> str:
    """As it is typed into a browser.

    >>> address_of("127.0.0.1", 8081), address_of("::1", 8081), address_of("0.0.0.0", 8081)
    ('http://127.0.0.1:8081', 'http://[::1]:8081', 'http://0.0.0.0:8081')
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""A connection to the very address that was checked, cut when its time is over."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 10.0
"""For all of it: looking up the name, connecting, encryption, every byte both ways."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(slots=True)
class Deadline:
    """When a connection is cut, by the monotonic clock."""

    within_s: float
    passed: bool = False
    _ends_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Time runs from here."""
        self._ends_s = time.monotonic() + self.within_s

    def left_s(self) -> float:
        """Seconds that are left; :class:`TimeoutError` when there are none."""
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            self.passed = True
            raise TimeoutError
        return left_s


@contextlib.contextmanager
def connected(
    host: str, port: int, *, allow_private: bool, clear: bool
) -> Iterator[tuple[socket.socket, Deadline]]:
    """A connection that lives for ``WITHIN_S`` at most; whatever goes wrong on it may pass.

    The name is looked up once and every address that it stands for is checked; connections go to
    these addresses and to no other, so a name that changes its mind gains nothing. A connection
    ``clear`` of encryption goes to private addresses only. Errors are :class:`PassingError`.
    A connection that is cut looks like one that the other side ended: who could take that for a
    whole answer asks the :class:`Deadline`.
    """
    deadline = Deadline(WITHIN_S)
    try:
        opened = _open(host, port, deadline, allow_private=allow_private, clear=clear)
        with opened, _cut(opened, deadline):
            yield opened, deadline
    except (OSError, PassingError) as error:  # TimeoutError and every ssl.SSLError too
        if deadline.passed or isinstance(error, TimeoutError):
            what = f"{host}:{port} took longer than {deadline.within_s:g} s"
        elif isinstance(error, PassingError):
            raise
        else:
            reason = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
            what = f"{host}:{port}: {reason}"
        raise PassingError(Mistake(what)) from error


def addresses(host: str, port: int, within_s: float, *, numbers_only: bool = False) -> list[str]:
    """Every address of a name, each once; none when there are none. No name server with numbers."""
    found: list[str] = []
    done = threading.Event()

    def look() -> None:
        flags = socket.AI_NUMERICHOST if numbers_only else 0
        with contextlib.suppress(OSError, UnicodeError):  # no such name; no name at all
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags):
                found.append(str(address[0]))
        done.set()

    # A thread, because nothing else ends a name server's silence in time.
    threading.Thread(target=look, name="look up", daemon=True).start()
    if not done.wait(within_s):
        raise TimeoutError
    return list(dict.fromkeys(found))


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, and no other address in disguise.

    >>> is_public("8.8.8.8"), is_public("127.0.0.1"), is_public("::ffff:8.8.8.8")
    (True, False, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if found.ipv4_mapped or found.sixtofour or found.teredo or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def refuse_private(host: str, found: list[str], *, allow_private: bool) -> None:
    """:class:`PassingError` when one of a name's addresses is private and none may be."""
    private = [address for address in found if not is_public(address)]
    if private and not allow_private:
        stands = f"{host} is" if host == private[0] else f"{host} stands for"
        raise PassingError(
            Mistake(
                f"{stands} {private[0]}, which is no public address",
                fix="write `allow_private: true` under `notify:` if it is meant",
            )
        )


def _open(
    host: str, port: int, deadline: Deadline, *, allow_private: bool, clear: bool
) -> socket.socket:
    found = addresses(host, port, deadline.left_s())
    if not found:
        raise PassingError(Mistake(f"there is no address for {host}"))
    refuse_private(host, found, allow_private=allow_private)
    if clear and any(map(is_public, found)):
        what = f"{host} has a public address: messages go there only encrypted"
        raise PassingError(Mistake(what, fix="use TLS"))
    for left, address in zip(range(len(found), 1, -1), found, strict=False):
        with contextlib.suppress(OSError):
            share_s = deadline.left_s() / left  # a silent one leaves time for the others
            return socket.create_connection((address, port), timeout=share_s)
    return socket.create_connection((found[-1], port), timeout=deadline.left_s())


@contextlib.contextmanager
def _cut(opened: socket.socket, deadline: Deadline) -> Iterator[None]:
    """Shut the connection when its time is over: a slow drip never times out by itself."""
    left_s = deadline.left_s()
    opened.settimeout(left_s)
    # a handle of its own: encryption takes the first one over
    handle = opened.dup()

    def cut() -> None:
        deadline.passed = True
        with contextlib.suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(left_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        handle.close()

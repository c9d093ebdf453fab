"""Which addresses are called: private ones only when that is meant."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import PassingError
from seatrial.notify import _wire
from seatrial.notify._wire import connected, is_public

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE = (
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254",
    "172.16.0.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "239.1.2.3", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:8.8.8.8", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::808:808", "2001:db8::1", "2002:7f00:1::", "2001::1",
    "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
)  # fmt: skip
PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808")


@pytest.mark.parametrize("address", PRIVATE)
def test_no_public_address(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_no_disguise_makes_an_address_public(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(int(address) | (0xFFFF << 32))
    translated = ipaddress.IPv6Address(int(address) | (0x64FF9B << 96))
    assert not is_public(str(mapped))
    assert is_public(str(translated)) == is_public(str(address))


class Names:
    """A name server of the test: each look-up of a name takes the next of its answers."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.silent = threading.Event()
        self._real = socket.getaddrinfo

    def __call__(self, host: str, *rest: Any, **more: Any) -> Any:
        if host == "silent.example":
            self.silent.wait(30)
        if host not in self.answers:
            return self._real(host, *rest, **more)
        self.asked.append(host)
        answers = self.answers[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        port = rest[0]
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in found
        ]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    made = Names()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.silent.set()


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def _connect(host: str, port: int, *, private: bool, clear: bool = True) -> str:
    with connected(host, port, allow_private=private, clear=clear) as (opened, _):
        return str(opened.getpeername()[0])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "0x7f.1", "2130706433", "0", "::1"]
)
def test_this_machine_by_whatever_name_is_refused(port: int, host: str) -> None:
    with pytest.raises(PassingError, match="no public address") as raised:
        _connect(host, port, private=False)
    assert "allow_private: true" in str(raised.value)


def test_it_is_called_when_that_is_meant(port: int) -> None:
    assert _connect("localhost", port, private=True) == "127.0.0.1"


@pytest.mark.parametrize("first", ["93.184.216.34", "2606:4700::1111"])
def test_a_name_that_stands_for_both_is_refused(names: Names, port: int, first: str) -> None:
    names.answers["both.example"] = [[first, "::1", "127.0.0.1"]]
    with pytest.raises(PassingError, match=r"both.example stands for ::1"):
        _connect("both.example", port, private=False)


def test_a_name_is_looked_up_once_and_the_checked_address_is_called(
    names: Names, port: int
) -> None:
    names.answers["rebind.example"] = [["127.0.0.1"], ["10.255.255.1"]]
    assert _connect("rebind.example", port, private=True) == "127.0.0.1"
    assert names.asked == ["rebind.example"]


def test_of_several_addresses_the_one_that_answers(names: Names, port: int) -> None:
    names.answers["two.example"] = [["::1", "127.0.0.1"]]  # nobody listens on the first
    assert _connect("two.example", port, private=True) == "127.0.0.1"


def test_nothing_goes_unencrypted_to_a_public_address(names: Names, port: int) -> None:
    names.answers["public.example"] = [["93.184.216.34"]]
    with pytest.raises(PassingError, match="only encrypted"):
        _connect("public.example", port, private=True)


def test_no_such_name(names: Names) -> None:
    names.answers["nowhere.example"] = [[]]
    for host in ("nowhere.example", "a..b", "x" * 300):
        with pytest.raises(PassingError, match="there is no address for"):
            _connect(host, 443, private=False)


def test_a_silent_name_server_is_left(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_wire, "WITHIN_S", 0.2)
    with pytest.raises(PassingError, match=r"silent.example:443 took longer than 0.2 s"):
        _connect("silent.example", 443, private=False)
    names.silent.set()

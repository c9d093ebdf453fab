"""Where the page listens, and who must have a token for that."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import StoreError, UsageError
from seatrial.ledger.store import Ledger
from seatrial.registry import tokens
from seatrial.registry.tokens import Role
from seatrial.serve import control as control_port
from seatrial.serve.control import Control, demand_token, opened
from seatrial.workspace import now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYWHERE = str(IPv4Address(0))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger(tmp_path / "ledger.db", now)
    yield found
    found.close()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    "asked",
    [Control(host=EVERYWHERE), Control(host="10.0.0.7"), Control(names=("ml.example.com",))],
)
def test_that_others_reach_needs_a_token(ledger: Ledger, asked: Control) -> None:
    with pytest.raises(UsageError, match="nobody has a token") as caught:
        demand_token(asked, ledger)
    assert "seatrial token create" in caught.value.mistakes[0].fix
    made, _ = tokens.create(ledger, "anna", Role.VIEWER, "root")
    demand_token(asked, ledger)
    tokens.revoke(ledger, made.id, "root")
    with pytest.raises(UsageError):
        demand_token(asked, ledger)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_of_this_machine_needs_none(ledger: Ledger, host: str) -> None:
    demand_token(Control(host=host), ledger)


def test_goes_elsewhere_when_its_port_is_taken_and_none_was_said(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_port, "PORT", taken)
    with contextlib.closing(opened(Control())) as listening:
        assert listening.getsockname()[1] not in {0, taken}


def test_that_was_said_and_is_taken_is_told(taken: int) -> None:
    with pytest.raises(StoreError, match="--control-port"):
        opened(Control(port=taken))

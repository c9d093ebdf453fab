"""Where the web page is: as the gateway that was started last says, while it lives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seatrial import workspace
from seatrial.errors import UsageError
from seatrial.registry import gateways
from seatrial.registry.gateways import Gateway
from seatrial.registry.page import page
from seatrial.serve.control import Control

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.ledger.store import Ledger
    from seatrial.registry.registry import Registry


def _enter(ledger: Ledger, identity: str, control: str | None, host: str = "") -> None:
    here = workspace.machine(ledger.file.parent)
    gateway = Gateway(
        id=identity,
        host=host or here,
        pid=os.getpid(),
        address="http://127.0.0.1:80",
        workers=1,
        control=control,
    )
    gateways.enter(ledger, gateway)


def test_the_page_of_this_machine_goes_first(registry: Registry, tmp_path: Path) -> None:
    ledger, home = registry.ledger, tmp_path / ".seatrial"
    assert page(ledger, home) is None
    with gateways.hold(home, "one"), gateways.hold(home, "bare"):
        _enter(ledger, "one", "http://127.0.0.1:8081")
        _enter(ledger, "far", "http://10.0.0.7:8081", host="another")
        _enter(ledger, "bare", None)
        assert page(ledger, home) == "http://127.0.0.1:8081"
    assert page(ledger, home) == "http://10.0.0.7:8081"


def test_another_machine_cannot_send_one_to_itself(registry: Registry, tmp_path: Path) -> None:
    ledger, home = registry.ledger, tmp_path / ".seatrial"
    _enter(ledger, "far", "http://10.0.0.7:8081", host="another")
    _enter(ledger, "alone", "http://127.0.0.1:8081", host="a third")
    assert page(ledger, home) == "http://10.0.0.7:8081"


def test_links_begin_with_the_address_that_is_said() -> None:
    said = Control(url="https://ml.example.com/", names=("ml",))
    assert said.link("http://127.0.0.1:8081") == "https://ml.example.com"
    assert (said.names, said.local) == (("ml", "ml.example.com"), False)
    assert Control().link("http://127.0.0.1:8081") == "http://127.0.0.1:8081"
    assert Control(host="::").link("http://[::]:8081") is None


@pytest.mark.parametrize(
    "url", ["ml.example.com", "ftp://x", "https://", "https://a/b", "https://u:p@a", "https://a:x"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of a host"):
        Control(url=url)

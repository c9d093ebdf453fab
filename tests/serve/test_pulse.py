"""Whoever looks at the gateways' traffic never waits for a gateway."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from running import until
from seatrial import workspace
from seatrial.errors import Mistake, PassingError
from seatrial.gateway.counts import Counts
from seatrial.gateway.scraped import Scraped
from seatrial.registry import gateways
from seatrial.registry.project import open_project
from seatrial.serve.pulse import MOST, Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.registry.project import Project


class Gateways:
    """Answers with one more request every time, unless it is silent; the clock is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.asked: list[tuple[str, int]] = []
        self.silent = ""
        self.free = threading.Event()
        self.free.set()

    def clock(self) -> float:
        return self.now_s

    def ask(self, host: str, port: int) -> Scraped:
        self.asked.append((host, port))
        self.free.wait(10)
        if self.silent:
            raise PassingError(Mistake(self.silent))
        return Scraped(self.now_s, {("m", 1): Counts(requests=len(self.asked))})


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Project]:
    opened = open_project(workspace.at(tmp_path))
    yield opened
    opened.ledger.close()


@pytest.fixture
def live(stores: Project) -> Iterator[Project]:
    """A gateway of this machine that listens everywhere."""
    with gateways.hold(stores.workspace.home, "G"):
        _enter(stores, "G", workspace.machine(stores.workspace.home), "http://0.0.0.0:8080")
        yield stores


def _enter(stores: Project, identity: str, host: str, address: str) -> None:
    gateway = gateways.Gateway(id=identity, host=host, pid=1, address=address, workers=1)
    gateways.enter(stores.ledger, gateway)


def test_what_was_heard_is_told_and_asked_anew_once_a_second(live: Project) -> None:
    far = Gateways()
    pulse = Pulse(far.ask, far.clock)
    (beat,), more = pulse.look(live)
    assert (beat.looks, beat.unheard, more) == (None, True, 0)
    beat = until(lambda: next((b for b in pulse.look(live)[0] if b.looks), None), "heard")
    assert far.asked == [("127.0.0.1", 8080)]
    assert beat.looks[0] == beat.looks[1]
    far.now_s += 2
    pulse.look(live)
    looks = until(lambda: _moved(pulse, live), "heard again")
    assert [look.counts["m", 1].requests for look in looks] == [1, 2]
    far.now_s += 60  # nobody looked for a minute: that is no pace of now
    (beat,), _ = pulse.look(live)
    assert (beat.looks, beat.unheard) == (None, True)


def _moved(pulse: Pulse, live: Project) -> tuple[Scraped, Scraped] | None:
    (beat,), _ = pulse.look(live)
    return beat.looks if beat.looks and beat.looks[0] != beat.looks[1] else None


def test_a_gateway_that_hangs_holds_nobody_up(live: Project) -> None:
    far = Gateways()
    far.free.clear()
    pulse = Pulse(far.ask, far.clock)
    for _ in range(5):
        far.now_s += 2
        (beat,), _ = pulse.look(live)
        assert beat.unheard
    until(lambda: far.asked, "asked")
    assert len(far.asked) == 1  # and is asked by one thread only
    far.silent = "no answer within 0.3 s"
    far.free.set()
    until(lambda: pulse.look(live)[0][0].trouble == far.silent, "told")
    (beat,), _ = pulse.look(live)
    assert (beat.looks, beat.unheard) == (None, False)


def test_not_everything_can_be_asked(stores: Project) -> None:
    far = Gateways()
    addresses = {"A": "http://0.0.0.0:80", "B": "nonsense"}
    for number in range(MOST):
        addresses[f"C{number}"] = f"http://10.0.0.7:{number}"
    for identity, address in addresses.items():
        _enter(stores, identity, "another", address)
    beats, more = Pulse(far.ask, far.clock).look(stores)
    assert [beat.trouble for beat in beats[:2]] == [
        "it runs on another machine, and does not say at which address",
        "its address 'nonsense' names no port",
    ]
    assert (len(beats), more) == (MOST, 2)

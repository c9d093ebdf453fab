"""Who lives is known at once, also after a kill; and what each gateway said of a version."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from seatrial import workspace
from seatrial.registry import gateways, standing
from seatrial.registry.gateways import FAILED, READY, REFUSED, SERVING, Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    from tests.registry.conftest import Clock

    from seatrial.ledger.store import Ledger
    from seatrial.registry.registry import Registry
    from seatrial.registry.standing import Standing

SECOND = 1 / 86400


@pytest.fixture
def ledger(registry: Registry) -> Ledger:
    return registry.ledger


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".seatrial"


@pytest.fixture
def one(ledger: Ledger, home: Path) -> Iterator[IO[bytes]]:
    """The gateway ``one`` of this process."""
    with gateways.hold(home, "one") as held:
        enter(ledger, "one")
        yield held


def enter(ledger: Ledger, identity: str, host: str = "") -> None:
    """Of this machine, unless said otherwise."""
    host = host or workspace.machine(ledger.file.parent)
    address = f"http://127.0.0.1:80/{identity}"
    gateways.enter(
        ledger, Gateway(id=identity, host=host, pid=os.getpid(), address=address, workers=2)
    )


def living(ledger: Ledger, home: Path) -> list[str]:
    return [each.id for each in gateways.live(ledger, home)]


def say(ledger: Ledger, gateway: str, version: int, state: str, reason: str = "") -> None:
    gateways.acknowledge(ledger, gateway, "m", version, f"sha256:{version}", state, reason)


def states(ledger: Ledger, version: int) -> dict[str, str]:
    return {k: v.state for k, v in gateways.readiness(ledger, "m", version).items()}


def kinds(ledger: Ledger) -> list[str]:
    return [event.kind for event in ledger.events()]


def of(ledger: Ledger, home: Path, state: str = READY) -> Standing:
    return standing.of(ledger, home, "m", 1, state)


def test_a_gateway_lives_while_it_holds_its_lock(
    ledger: Ledger, home: Path, one: IO[bytes], clock: Clock
) -> None:
    clock.move(1)  # no beat is needed on this host
    (found,) = gateways.live(ledger, home)
    assert (found.id, found.workers, found.pid) == ("one", 2, os.getpid())
    one.close()
    assert living(ledger, home) == []


def test_a_gateway_that_left_is_gone_though_its_process_lives(
    ledger: Ledger, home: Path, one: IO[bytes]
) -> None:
    assert not one.closed
    gateways.leave(ledger, "one")
    gateways.leave(ledger, "one")
    assert living(ledger, home) == []
    assert kinds(ledger) == ["gateway_started", "gateway_stopped"]


def test_a_killed_gateway_is_gone_at_once(ledger: Ledger, home: Path) -> None:
    code = (
        "import sys, pathlib, time; from seatrial.registry import gateways;"
        "held = gateways.hold(pathlib.Path(sys.argv[1]), 'other'); print('held', flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        enter(ledger, "other")
        assert living(ledger, home) == ["other"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert living(ledger, home) == []


def test_a_gateway_elsewhere_lives_while_it_was_seen_lately(
    ledger: Ledger, home: Path, clock: Clock
) -> None:
    enter(ledger, "far", host="another-machine")
    clock.move(14 * SECOND)
    assert living(ledger, home) == ["far"]
    gateways.beat(ledger, "far")
    clock.move(14 * SECOND)
    assert living(ledger, home) == ["far"]
    clock.move(2 * SECOND)
    assert living(ledger, home) == []
    assert kinds(ledger) == ["gateway_started"]  # beats are no events


@pytest.mark.usefixtures("one")
def test_one_version_of_a_model_serves_at_a_gateway(ledger: Ledger) -> None:
    for version in (1, 2):
        say(ledger, "one", version, READY)
    say(ledger, "one", 1, SERVING)
    gateways.acknowledge(ledger, "one", "another", 1, "sha256:7", SERVING)
    say(ledger, "one", 2, SERVING)
    assert (states(ledger, 1), states(ledger, 2)) == ({"one": READY}, {"one": SERVING})
    assert gateways.readiness(ledger, "another", 1)["one"].state == SERVING
    say(ledger, "one", 1, READY)  # it says so itself a moment later
    say(ledger, "one", 2, SERVING)
    assert kinds(ledger)[1:] == ["version_prepared"] * 2 + ["version_served"] * 3


@pytest.mark.usefixtures("one")
def test_more_to_say_about_what_serves_is_kept_and_no_event(ledger: Ledger, home: Path) -> None:
    say(ledger, "one", 1, SERVING)
    say(ledger, "one", 1, SERVING, "warn libc")
    assert kinds(ledger)[1:] == ["version_served"]
    said = standing.of(ledger, home, "m", 1, READY)
    assert [(each.gateway, each.reason) for each in said.remarked] == [("one", "warn libc")]
    say(ledger, "one", 1, REFUSED, "no longer")
    assert standing.of(ledger, home, "m", 1, READY).remarked == ()


@pytest.mark.usefixtures("one")
def test_what_is_said_again_is_no_news(ledger: Ledger) -> None:
    for reason in ("too cold", "too cold", "too hot"):
        say(ledger, "one", 1, REFUSED, reason)
    say(ledger, "one", 1, READY)
    prepared = [(e.body["state"], e.body["reason"]) for e in ledger.events("version_prepared")]
    assert prepared == [(REFUSED, "too cold"), (REFUSED, "too hot"), (READY, None)]


@pytest.mark.usefixtures("one")
def test_a_version_that_was_dropped_is_no_longer_ready(ledger: Ledger) -> None:
    say(ledger, "one", 1, READY)
    gateways.acknowledge(ledger, "one", "m", 1, "", gateways.DROPPED)
    gateways.acknowledge(ledger, "one", "m", 1, "", gateways.DROPPED)
    assert states(ledger, 1) == {}


def test_missing_are_those_that_live_and_have_not_said_it(
    ledger: Ledger, home: Path, one: IO[bytes]
) -> None:
    with gateways.hold(home, "two"):
        enter(ledger, "two")
        enter(ledger, "dead")
        say(ledger, "one", 1, SERVING)  # which is as good as ready
        assert [each.id for each in of(ledger, home).missing] == ["two"]
        say(ledger, "two", 1, READY)
        assert of(ledger, home).settled
        assert [each.id for each in of(ledger, home, SERVING).missing] == ["two"]
        assert (
            standing.served_by(of(ledger, home, SERVING)) == "; 1 of 2 gateways have confirmed it"
        )
        say(ledger, "two", 1, SERVING)
        assert standing.served_by(of(ledger, home, SERVING)) == "; 2 gateways serve it"
    assert [each.id for each in of(ledger, home).live] == ["one"]
    assert not one.closed


@pytest.mark.usefixtures("one")
@pytest.mark.parametrize("state", [REFUSED, FAILED])
def test_a_nack_ends_the_waiting(ledger: Ledger, home: Path, state: str) -> None:
    say(ledger, "one", 1, state, "the golden rows differ")
    found = standing.wait(ledger, home, "m", 1, READY, within_s=60)
    assert [(nack.gateway, nack.reason) for nack in found.nacks] == [
        ("one", "the golden rows differ")
    ]
    assert (len(found.refused), len(found.failed)) == ((1, 0) if state == REFUSED else (0, 1))


@pytest.mark.usefixtures("one")
def test_the_waiting_ends_when_the_time_is_over(ledger: Ledger, home: Path) -> None:
    found = standing.wait(ledger, home, "m", 1, READY, within_s=0.05)
    assert [each.id for each in found.missing] == ["one"]


def test_looking_again_costs_naps_and_no_more_than_the_time() -> None:
    now, naps = [0.0], []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    assert standing.await_so(lambda: len(naps) == 3, 30.0, clock=lambda: now[0], sleep=sleep)
    assert naps == [standing.NAP_S] * 3
    assert not standing.await_so(lambda: False, 1.0, clock=lambda: now[0], sleep=sleep)
    assert now[0] == pytest.approx(0.06 + 1.0, abs=0.03)

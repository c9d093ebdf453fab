"""A shadow test is opened once, ends with its run at the latest, and keeps what was counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from seatrial.ledger import beginnings, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.runs import State
from seatrial.registry import shadows
from seatrial.registry.shadows import Wish

if TYPE_CHECKING:
    from tests.registry.conftest import Clock

    from seatrial.ledger.store import Ledger
    from seatrial.registry.registry import Registry

WISH = Wish(
    id="R1/evaluate.shadow_tests",
    run="R1",
    model="m",
    version=2,
    against=1,
    share_percent=5,
    lasts_s=48 * 3600,
    spec={"variance": 0.25},
)


@pytest.fixture
def ledger(registry: Registry) -> Ledger:
    begin(registry.ledger, "R1")
    return registry.ledger


def begin(ledger: Ledger, identity: str, pipeline: str = "p") -> None:
    beginnings.begin(
        ledger,
        Beginning(
            identity=identity, pipeline=pipeline, key=identity, model="m", request={}, steps=["s.t"]
        ),
    )


def wanted(ledger: Ledger) -> list[str]:
    return [each.id for each in shadows.wanted(ledger)]


def test_opened_again_it_is_the_one_that_stands(ledger: Ledger, clock: Clock) -> None:
    opened = shadows.open_shadow(ledger, WISH)
    lasts = datetime.fromisoformat(opened.until) - datetime.fromisoformat(opened.opened)
    assert lasts.total_seconds() == WISH.lasts_s
    clock.move(1)
    again = shadows.open_shadow(ledger, replace(WISH, share_percent=50, lasts_s=1))
    assert again == opened == shadows.get(ledger, WISH.id)
    assert shadows.wanted(ledger) == [opened]
    assert len([*ledger.events("shadow_opened")]) == 1


def test_closed_it_is_no_longer_wanted(ledger: Ledger, clock: Clock) -> None:
    shadows.open_shadow(ledger, WISH)
    closed = shadows.close(ledger, WISH.id)
    clock.move(1)
    assert shadows.close(ledger, WISH.id) == closed
    assert closed.closed is not None
    assert wanted(ledger) == []
    assert len([*ledger.events("shadow_closed")]) == 1
    assert shadows.open_shadow(ledger, WISH) == closed


@pytest.mark.parametrize("state", [State.CANCELLED, State.FINISHED])
def test_it_ends_with_its_run(ledger: Ledger, state: State) -> None:
    shadows.open_shadow(ledger, WISH)
    begin(ledger, "R2", pipeline="another")
    shadows.open_shadow(ledger, replace(WISH, id="R2/s.t", run="R2"))
    runs.end(ledger, "R1", state, None, None)
    assert wanted(ledger) == ["R2/s.t"]


def test_it_ends_with_a_run_that_is_superseded(ledger: Ledger) -> None:
    shadows.open_shadow(ledger, WISH)
    begin(ledger, "R2")
    assert wanted(ledger) == []


def test_the_last_report_of_each_gateway_counts(ledger: Ledger) -> None:
    shadows.open_shadow(ledger, WISH)
    before = ledger.head()
    for seen in (3, 7):
        shadows.report(ledger, WISH.id, "one", {"seen": seen})
    shadows.report(ledger, WISH.id, "two", {"seen": 5})
    told = {each.gateway: each.document for each in shadows.tallies(ledger, WISH.id)}
    assert told == {"one": {"seen": 7}, "two": {"seen": 5}}
    assert ledger.head() == before  # no events: every second would be one
    assert shadows.tallies(ledger, "another") == []

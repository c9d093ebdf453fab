"""After a rollback by itself nothing is promoted at once: by time, by a person, or never."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.tasks.conftest import MODEL
from tests.tasks.traffic import Clocked, Gateway

from seatrial import plan as plans
from seatrial.engines._resume import resume
from seatrial.ledger import runs
from seatrial.pipeline.read import read_file
from seatrial.registry import brakes, watches
from seatrial.registry.watches import State
from seatrial.review import items
from seatrial.review.by_hand import move_by_hand
from seatrial.watch.act import act
from seatrial.watch.decide import End, RollBack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tasks.conftest import Project, Went

    from seatrial.review.items import Item
    from seatrial.watch.decide import Action

pytestmark = pytest.mark.slow  # each is quick, and there are many

WITHOUT_SHADOW = (
    "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n"
)
HARM = RollBack("0.087 worse on 312 labelled requests", "quality")


@pytest.fixture
def clocked(delivered: Project) -> Clocked:
    """Version 2 has replaced version 1, and is being watched; no gateway has ever served it."""
    delivered.edit(WITHOUT_SHADOW, "")
    made = Clocked(delivered)
    made.retrain()
    assert made.run().production == (1, 2)
    return made


@pytest.fixture
def gateway(clocked: Clocked) -> Iterator[Gateway]:
    with Gateway(clocked) as living:
        yield living


def decided(clocked: Clocked, action: Action) -> None:
    """The watch that lasts has decided this."""
    stores = clocked.open()
    watch = watches.current(stores.ledger, MODEL)
    assert watch is not None
    assert act(stores, watch, action, {}) is not None
    stores.ledger.close()


def asked(clocked: Clocked) -> list[Item]:
    stores = clocked.open()
    with stores.ledger.read() as connection:
        found = items.waiting(connection)
    stores.ledger.close()
    return found


def answer(clocked: Clocked, kind: str, choice: str) -> None:
    """A person decides on the open question of a kind, of a run."""
    (item,) = [each for each in asked(clocked) if each.kind == kind and each.asked.run]
    stores = clocked.open()
    items.decide(stores.ledger, item.id, choice, "ada", "looked at it")
    stores.ledger.close()


def waits_until(went: Went) -> datetime:
    assert (went.code, went.document["state"]) == (4, "waiting"), went.document
    told: Any = went.task("promote")
    assert told["state"] == "waiting"
    return datetime.fromisoformat(told["waiting_until"])


def test_it_cools_down_for_a_day(clocked: Clocked) -> None:
    decided(clocked, HARM)
    rolled_back = clocked.clock()
    clocked.clock.move(minutes=1)
    clocked.retrain(22)
    went = clocked.run()
    assert waits_until(went) == rolled_back + timedelta(hours=24)
    assert "was rolled back at" in went.reason("promote")
    assert "cools down for 24 hours" in went.reason("promote")
    clocked.clock.move(hours=23.9)
    assert clocked.run().code == 4
    clocked.clock.time = rolled_back + timedelta(hours=24)
    again = clocked.run()
    assert (again.code, again.run, again.production) == (0, went.run, (1, 3))


def test_how_long_it_cools_down_is_a_setting(clocked: Clocked) -> None:
    clocked.project.edit("stages:", "watch: {cool_down_hours: 0.5}\nstages:")
    decided(clocked, HARM)
    rolled_back = clocked.clock()
    clocked.retrain(22)
    assert waits_until(clocked.run()) == rolled_back + timedelta(minutes=30)
    plan = plans.make(read_file(clocked.project.file, []), clocked.project.folder)
    promote = plan.step("deploy_model.promote")
    demands = " ".join(promote.task.demands(promote.scope))
    assert "waits while the version in production is being watched" in demands
    assert "for 0.5 hours after a rollback by itself" in demands


def test_a_rollback_by_hand_needs_no_cooling(clocked: Clocked) -> None:
    stores = clocked.open()
    move_by_hand(stores, MODEL, 1, "rollback", "complaints", by="ada")
    stores.ledger.close()
    clocked.retrain(22)
    assert clocked.run().production == (1, 3)


def test_what_was_rolled_back_is_for_a_person(clocked: Clocked) -> None:
    """The same settings make the same model: it is known by its bytes."""
    decided(clocked, HARM)
    clocked.clock.move(hours=25)
    went = clocked.run()
    assert (went.code, went.verdict("promote"), went.production) == (3, "inconclusive", (1, 1))
    assert "version 2 is in quarantine since" in went.reason("promote")
    assert HARM.reason in went.reason("promote")
    (finding,) = went.task("promote")["findings"]
    assert "seatrial reviews" in finding["hint"]
    (item,) = asked(clocked)
    assert (item.kind, item.asked.run, item.asked.step) == (
        "quarantine_lift",
        went.run,
        "deploy_model.promote",
    )
    assert "although the same model was rolled back?" in item.asked.question
    assert item.asked.evidence["reason"] == HARM.reason
    assert clocked.run().code == 3
    assert [each.id for each in asked(clocked)] == [item.id]


@pytest.mark.parametrize(
    ("choice", "code", "production"), [("approve", 0, (1, 2)), ("reject", 3, (1, 1))]
)
def test_a_person_lets_it_out_of_quarantine_or_not(
    clocked: Clocked, choice: str, code: int, production: tuple[int, int]
) -> None:
    decided(clocked, HARM)
    clocked.clock.move(hours=25)
    clocked.run()
    answer(clocked, "quarantine_lift", choice)
    stores = clocked.open()
    assert len(brakes.all_quarantined(stores.ledger)) == (choice == "reject")
    stores.ledger.close()
    went = clocked.run()
    assert (went.code, went.production) == (code, production), went.document
    assert asked(clocked) == []  # the same question is not asked twice


def _stormy(clocked: Clocked) -> None:
    """Two rollbacks by itself, and more than a day has passed since the last."""
    decided(clocked, HARM)
    clocked.clock.move(hours=25)
    clocked.retrain(22)
    assert clocked.run().production == (1, 3)
    decided(clocked, HARM)
    clocked.clock.move(hours=25)
    clocked.retrain(23)


@pytest.mark.parametrize(
    ("choice", "code", "production"), [("approve", 0, (1, 4)), ("reject", 3, (1, 1))]
)
def test_a_frozen_model_is_for_a_person(
    clocked: Clocked, choice: str, code: int, production: tuple[int, int]
) -> None:
    _stormy(clocked)
    went = clocked.run()
    assert (went.code, went.verdict("promote"), went.production) == (3, "inconclusive", (1, 1))
    assert f"{MODEL} is frozen since" in went.reason("promote")
    assert "2 rollbacks by itself within 7 days" in went.reason("promote")
    answer(clocked, "storm_freeze", choice)
    again = clocked.run()
    assert (again.code, again.production) == (code, production), again.document


def test_a_running_watch_is_waited_for_to_its_end(clocked: Clocked, gateway: Gateway) -> None:
    stores = gateway.stores
    gateway.say(2, "serving")
    gateway.obey()
    watch = watches.current(stores.ledger, MODEL)
    assert watch is not None
    clocked.retrain(22)
    went = clocked.run()
    assert waits_until(went).isoformat() == watch.until
    until = watch.until[:16].replace("T", " ")
    assert f"version 2 is being watched until {until} UTC" in went.reason("promote")
    clocked.clock.time = datetime.fromisoformat(watch.until)
    # the watch is about to be ended by the gateway's watcher: a minute, then one looks again
    assert waits_until(clocked.run()) == clocked.clock() + timedelta(minutes=1)
    decided(clocked, End(State.PASSED, "known good"))
    clocked.clock.move(minutes=1)
    again = clocked.run()
    assert (again.code, again.run, again.production) == (0, went.run, (2, 3)), again.document


@pytest.mark.slow
def test_who_waits_for_a_watch_may_look_as_soon_as_it_ends(
    clocked: Clocked, gateway: Gateway
) -> None:
    gateway.say(2, "serving")
    clocked.retrain(22)
    went = clocked.run()
    assert waits_until(went) > clocked.clock()
    clocked.clock.move(hours=1)
    decided(clocked, End(State.PASSED, "known good, sooner than anybody thought"))
    due = {step.address: step.due for step in runs.steps(gateway.stores.ledger, went.run)}
    assert due["deploy_model.promote"] == clocked.clock().isoformat()
    gateway.say(3, "ready")
    assert clocked.run().production == (2, 3)


def test_a_watch_that_is_extended_is_waited_for_longer(clocked: Clocked, gateway: Gateway) -> None:
    gateway.say(2, "serving")
    clocked.retrain(22)
    until = waits_until(clocked.run())
    stores = gateway.stores
    watch = watches.current(stores.ledger, MODEL)
    assert watch is not None
    later = until + timedelta(hours=120)
    stores.ledger.write(lambda t: watches.extend(t, watch.id, later, "too few labels"))
    clocked.clock.time = until
    assert waits_until(clocked.run()) == later


def test_what_was_not_compared_with_what_serves_now_waits_for_nothing(
    clocked: Clocked, gateway: Gateway
) -> None:
    """It waited for the watch of version 2, which went back: it would never be promoted."""
    gateway.say(2, "serving")
    clocked.retrain(22)
    waiting = clocked.run()
    until = waits_until(waiting)
    decided(clocked, HARM)
    clocked.clock.time = until
    stores = clocked.open()
    driven = resume(stores, waiting.run)
    stores.ledger.close()
    assert driven.exit_code == 3
    (item,) = asked(clocked)
    assert "was moved meanwhile (to version 1)" in item.asked.question


def test_a_watch_that_nobody_can_end_is_not_waited_for(clocked: Clocked) -> None:
    """No gateway lives any more: its time is over, and there will be no more labels."""
    with Gateway(clocked) as gateway:
        gateway.say(2, "serving")
        clocked.retrain(22)
        until = waits_until(clocked.run())
    assert clocked.run().code == 4
    clocked.clock.time = until
    assert clocked.run().production == (2, 3)


def test_a_version_that_no_gateway_served_is_replaced_at_once(clocked: Clocked) -> None:
    """There is nothing to be seen; the watch ends as superseded, and another begins."""
    clocked.retrain(22)
    assert clocked.run().production == (2, 3)
    stores = clocked.open()
    ended, begun = (watches.latest(stores.ledger, MODEL, version) for version in (2, 3))
    stores.ledger.close()
    assert ended is not None
    assert begun is not None
    assert (ended.state, begun.state) == (State.SUPERSEDED, State.WATCHING)
    assert (begun.against, begun.policy["metric"]) == (2, "accuracy")


def test_a_running_watch_outlives_the_setting_of_the_next_run(clocked: Clocked) -> None:
    """By the policy of the day of the promotion, whatever the file says later."""
    stores = clocked.open()
    watch = watches.current(stores.ledger, MODEL)
    clocked.project.edit("degradation > 0.05", "degradation > 0.01")
    assert clocked.run().production == (2, 2)
    assert watches.current(stores.ledger, MODEL) == watch
    assert watch is not None
    assert watch.policy["degradation_margin"] == 0.05
    policy = stores.registry.policy(MODEL)
    assert policy is not None
    assert policy["degradation_margin"] == 0.01
    stores.ledger.close()

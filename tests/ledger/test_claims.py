"""At most one process performs a step, and only who still owns it can say what came of it."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import SupersededError
from seatrial.ledger import beginnings, claims, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.claims import LEASE_S, Claim
from seatrial.ledger.runs import State
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import STEP
from seatrial.ledger.verify import verify
from seatrial.outcome import Finding, Measure, Outcome, Verdict, Wait

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.ledger.runs import Step
    from seatrial.ledger.store import Ledger, Transaction

    from .conftest import Clock

PASSED = Outcome(
    verdict=Verdict.PASS,
    reason="so it is",
    measures=(Measure(name="accuracy", value=0.9, low=0.8, high=1.0, limit=0.7, n=50),),
    findings=(Finding(what="a thing", where="a column"),),
    facts={"held_out_bound": True},
    blobs={"evidence": "sha256:00"},
)


@pytest.fixture(autouse=True)
def _begun(ledger: Ledger) -> None:
    beginnings.begin(
        ledger,
        Beginning(identity="R1", pipeline="p", key="k", model="m", request={}, steps=["a.one"]),
    )


def _claim(ledger: Ledger, host: str = "here", process: int = 1) -> Claim | datetime | None:
    return claims.claim(ledger, "R1", "a.one", owner=f"{host}:{process}", host=host)


def _claimed(ledger: Ledger, host: str = "here", process: int = 1) -> Claim:
    claimed = _claim(ledger, host, process)
    assert isinstance(claimed, Claim)
    return claimed


def _step(ledger: Ledger) -> Step:
    (step,) = runs.steps(ledger, "R1")
    return step


def test_a_finished_step_is_not_claimed_again_and_keeps_all_it_said(ledger: Ledger) -> None:
    claims.finish(ledger, _claimed(ledger), PASSED, 1.5)
    step = _step(ledger)
    assert (step.state, step.outcome, step.seconds) == ("done", PASSED, 1.5)
    assert (step.owner, step.lease_until) == (None, None)
    assert _claim(ledger) is None


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_has_not_are_named_and_read_back(ledger: Ledger, odd: float) -> None:
    measure = Measure(name="kl.delay", value=odd, low=0.5, high=math.inf, limit=0.1)
    said = Outcome(
        verdict=Verdict.FAIL, reason="moved", measures=(measure,), facts={"a": {"b": [odd, 1.0]}}
    )
    claims.finish(ledger, _claimed(ledger), said, 1.5)
    kept = _step(ledger).outcome
    assert kept is not None
    assert (kept.verdict, kept.facts) == (Verdict.FAIL, {"a": {"b": [None, 1.0]}})
    assert kept.measures == (replace(measure, value=None, high=None),)
    assert [each.what.partition(" is ")[0] for each in kept.findings] == ["kl.delay"]
    verify(ledger)


def test_what_older_ledgers_hold_is_read(ledger: Ledger) -> None:
    """They wrote such a number as Python does."""
    claims.finish(ledger, _claimed(ledger), PASSED, 1.5)
    text = canonical(asdict(replace(PASSED, measures=(Measure(name="kl", value=math.inf),))))

    def as_it_was(transaction: Transaction) -> None:
        transaction.connection.execute(STEP.update().values(outcome=text))

    ledger.write(as_it_was)
    kept = _step(ledger).outcome
    assert kept is not None
    assert kept.measures == (Measure(name="kl", value=None),)
    assert kept.findings[-1].what == "kl is infinity, which cannot be kept as a number"


def test_a_dead_process_of_this_host_costs_no_lease(ledger: Ledger) -> None:
    """The caller holds the kernel lock, so the earlier owner must be dead."""
    first = _claimed(ledger, process=1)
    second = _claimed(ledger, process=2)
    assert (second.fence, second.attempt) == (first.fence + 1, 2)


def test_another_hosts_claim_is_waited_for_until_its_lease_ends(
    ledger: Ledger, clock: Clock
) -> None:
    _claimed(ledger, "there")
    end = clock() + timedelta(seconds=LEASE_S)
    assert _claim(ledger, "here") == end
    clock.move(LEASE_S - 0.001)
    assert _claim(ledger, "here") == end
    clock.move(0.001)
    assert isinstance(_claim(ledger, "here"), Claim)


def test_a_heartbeat_prolongs_the_lease(ledger: Ledger, clock: Clock) -> None:
    claimed = _claimed(ledger, "there")
    for _ in range(3):
        clock.move(LEASE_S * 0.9)
        claims.heartbeat(ledger, claimed)
        assert _claim(ledger, "here") == clock() + timedelta(seconds=LEASE_S)


def test_who_lost_the_step_cannot_record_anything(ledger: Ledger, clock: Clock) -> None:
    lost = _claimed(ledger, "there")
    clock.move(LEASE_S)
    owner = _claimed(ledger, "here")
    head = ledger.head()
    with pytest.raises(SupersededError, match=r"step a\.one was taken over"):
        claims.finish(ledger, lost, PASSED, 9.0)
    with pytest.raises(SupersededError, match="taken over"):
        claims.release(ledger, lost, "an error")
    claims.heartbeat(ledger, lost)  # prolongs nothing
    assert ledger.head() == head
    assert _step(ledger).lease_until == (clock() + timedelta(seconds=LEASE_S)).isoformat()
    claims.finish(ledger, owner, PASSED, 1.0)
    with pytest.raises(SupersededError, match="taken over"):
        claims.finish(ledger, lost, Outcome(verdict=Verdict.FAIL, reason="late"), 9.0)
    assert _step(ledger).outcome == PASSED
    assert len(list(ledger.events("step_finished"))) == 1


def test_a_released_step_can_be_claimed_by_any_host_at_once(ledger: Ledger) -> None:
    claims.release(ledger, _claimed(ledger, "there"), "no space left")
    assert (_step(ledger).state, _step(ledger).reason) == ("ready", "no space left")
    assert _claimed(ledger, "here").attempt == 2


def test_a_waiting_step_is_nobodys_until_it_is_due(ledger: Ledger, clock: Clock) -> None:
    due = clock() + timedelta(hours=48)
    claims.finish(ledger, _claimed(ledger), Wait(until=due, reason="traffic is collected"), 0.1)
    step = _step(ledger)
    assert (step.state, step.due, step.owner) == ("waiting", due.isoformat(), None)
    assert step.outcome is None
    assert not list(ledger.events("step_finished"))
    clock.move(48 * 3600 - 1)
    assert _claim(ledger, "here") == _claim(ledger, "there") == due
    clock.move(1)
    claims.finish(ledger, _claimed(ledger, "there"), PASSED, 0.1)
    assert (_step(ledger).outcome, _step(ledger).due) == (PASSED, None)


def test_a_claim_wakes_a_paused_run(ledger: Ledger) -> None:
    runs.stop(ledger, "R1", State.WAITING)
    _claimed(ledger)
    assert runs.get(ledger, "R1").state is State.RUNNING


def test_only_a_result_with_a_key_is_reused(ledger: Ledger) -> None:
    assert claims.reusable(ledger, "key") is None
    claims.finish(ledger, _claimed(ledger), PASSED, 0.1, "key")
    assert claims.reusable(ledger, "key") == PASSED
    assert claims.reusable(ledger, "other") is None

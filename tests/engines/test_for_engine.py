"""A run that an engine begins: by its own run, beside others, for a scheduled time."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from seatrial.errors import StoreError
from seatrial.ledger import claims, firings, runs
from seatrial.ledger.overlaps import LOOK, PATIENCE
from seatrial.ledger.runs import State
from seatrial.pipeline.read import read_file
from seatrial.serve.look import look

if TYPE_CHECKING:
    from seatrial.engines._for_engine import Begun

    from .conftest import Probing

WAITS = "train: wait 7200, pass"
OTHER = "check.probe.note=other"
AT = datetime(2026, 1, 1, 2, tzinfo=UTC)


def states(probing: Probing) -> list[str]:
    """Of every run, oldest first."""
    with closing((project := probing.open()).ledger):
        return [str(run.state) for run in reversed(runs.latest(project.ledger))]


@pytest.fixture
def waiting(probing: Probing) -> Begun:
    """A run of an engine that waits for two hours."""
    probing.write("check: pass", WAITS)
    begun = probing.begin("first")
    probing.step(begun.run, "check.probe")
    assert probing.step(begun.run, "train.probe").run.state == "waiting"
    return begun


def test_asked_again_for_the_same_run_of_the_engine_it_is_the_same_run(
    waiting: Begun, probing: Probing
) -> None:
    again = probing.begin("first")
    assert (again.state, again.run, again.exit_code) == ("resumed", waiting.run, 0)
    assert states(probing) == ["waiting"]


def test_a_run_of_another_engine_is_another_run_whatever_it_is_called(
    waiting: Begun, probing: Probing
) -> None:
    other = probing.begin("first", engine="another")
    assert (other.state, other.run) == ("skipped", waiting.run)


def test_skip(waiting: Begun, probing: Probing) -> None:
    for changes in ((), (OTHER,)):
        second = probing.begin("second", *changes)
        assert (second.state, second.run, second.exit_code) == ("skipped", waiting.run, 4)
        assert "train.probe waits until 2026-01-01 02:00 UTC" in second.reason
    assert states(probing) == ["waiting"]


def test_queue_comes_back_within_a_minute(waiting: Begun, probing: Probing) -> None:
    second = probing.begin("second", policy="queue")
    assert (second.state, second.run) == ("queued", waiting.run)
    assert second.until == probing.clock() + LOOK
    probing.clock.move(hours=2)
    assert probing.step(waiting.run, "train.probe").run.state == "finished"
    assert probing.begin("second", policy="queue").state == "begun"


def test_replace_ends_the_run_that_waits_also_one_of_the_same_content(
    waiting: Begun, probing: Probing
) -> None:
    second = probing.begin("second", policy="replace")
    assert second.state == "begun"
    assert states(probing) == ["superseded", "running"]
    assert second.run != waiting.run
    told = probing.step(waiting.run, "train.probe")
    assert (told.said, f"superseded by run {second.run}" in told.why) == (None, True)


def test_an_equal_run_that_waits_is_gone_on_with_when_asked_to(
    waiting: Begun, probing: Probing
) -> None:
    adopted = probing.begin("second", adopt=True)
    assert (adopted.state, adopted.run) == ("resumed", waiting.run)
    assert probing.begin("third", OTHER, adopt=True).state == "skipped"


def test_a_step_under_way_holds_up_another_run(probing: Probing) -> None:
    probing.write("check: pass")
    begun = probing.begin("first")
    with closing((project := probing.open()).ledger):
        ledger = project.ledger
        claims.claim(ledger, str(begun.run), "check.probe", owner="far:1", host="far")
        probing.clock.move(seconds=50)
        assert "check.probe is performed by far:1" in probing.begin("second", adopt=True).reason
        # nobody prolonged the lease, and for an hour after its end nothing happened
        probing.clock.move(seconds=claims.LEASE_S + PATIENCE.total_seconds())
    assert probing.begin("third").state == "resumed"


def test_the_death_of_a_worker_in_a_long_step_gives_its_engine_an_hour_too(
    probing: Probing,
) -> None:
    probing.write("check: pass")
    begun = probing.begin("first")
    with closing((project := probing.open()).ledger):
        step = (project.ledger, str(begun.run), "check.probe")
        claimed = claims.claim(*step, owner="far:1", host="far")
        assert isinstance(claimed, claims.Claim)
        probing.clock.move(hours=3)
        claims.heartbeat(project.ledger, claimed)
    probing.clock.move(minutes=10)
    assert probing.begin("second", OTHER).state == "skipped"
    probing.clock.move(minutes=52)
    assert probing.begin("third", OTHER).state == "begun"


def test_between_two_steps_an_engine_may_take_an_hour(probing: Probing) -> None:
    probing.write("check: pass", "train: pass")
    first = probing.begin("first")
    probing.step(first.run, "check.probe")
    probing.clock.move(minutes=59)
    assert probing.begin("second").reason.endswith("it is between two steps")
    probing.clock.move(minutes=2)
    left = probing.begin("second")
    assert (left.state, left.run) == ("resumed", first.run)
    probing.clock.move(hours=2)
    assert probing.begin("third", OTHER).state == "begun"
    assert states(probing) == ["superseded", "running"]


def test_after_a_wait_an_engine_may_take_an_hour(waiting: Begun, probing: Probing) -> None:
    probing.clock.move(hours=2, minutes=59)
    assert probing.begin("second", OTHER).state == "skipped"
    probing.clock.move(minutes=2)
    assert probing.begin("second", OTHER).state == "begun"
    assert waiting.run


def test_what_an_error_stopped_the_next_run_goes_on_with(probing: Probing) -> None:
    probing.write("check: pass; store, pass")
    first = probing.begin("first")
    probing.step(first.run, "check.probe")
    with pytest.raises(StoreError, match="the disk is full"):
        probing.step(first.run, "check.probe-2")
    assert states(probing) == ["stopped"]
    second = probing.begin("second")
    assert (second.state, second.run) == ("resumed", first.run)
    assert probing.step(second.run, "check.probe-2").run.state == "finished"
    assert probing.calls() == ["check.probe", "check.probe-2", "check.probe-2"]


def test_a_scheduled_time_is_noted_with_its_run(probing: Probing) -> None:
    probing.write("check: pass", WAITS)
    first = probing.begin("first", time=AT)
    probing.begin("first", time=AT)
    probing.begin("second", time=AT + timedelta(days=1))
    with closing((project := probing.open()).ledger):
        later, noted = firings.latest(project.ledger, "probing")
    assert (noted.state, noted.run, noted.by) == ("fired", first.run, "airflow first")
    assert (later.state, later.run) == ("skipped", None)
    assert later.reason == f"run {first.run} has not ended: it is between two steps"


def test_of_one_time_there_is_one_run(probing: Probing) -> None:
    probing.write("check: pass")
    with closing((project := probing.open()).ledger):
        firings.fire(project.ledger, "probing", AT, "the scheduler of serve")
    second = probing.begin("first", time=AT)
    assert (second.state, second.run) == ("skipped", None)
    assert second.reason == "the scheduler of serve has fired this time"
    assert states(probing) == []


def test_the_scheduler_of_serve_leaves_the_run_to_its_engine(
    waiting: Begun, probing: Probing
) -> None:
    pipelines = {"probing": read_file(probing.folder / "pipeline.yaml")}
    probing.clock.move(hours=2, minutes=30)
    with closing((project := probing.open()).ledger):
        seen = look(project, pipelines, probing.clock())
        assert (seen.waits, seen.orphans) == ((), ())
        assert seen.known["probing"].under_way == waiting.run
        # by hand the same run is gone on with, and is then the scheduler's
        probing.run()
        assert runs.get(project.ledger, str(waiting.run)).state is State.FINISHED


def test_a_run_that_is_resumed_by_hand_is_no_longer_the_engines(
    waiting: Begun, probing: Probing
) -> None:
    probing.run()
    with closing((project := probing.open()).ledger):
        assert runs.get(project.ledger, str(waiting.run)).engine == "embedded"

"""Runs are resumed while they are the same run, and closed when another takes their place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.errors import StoreError, SupersededError, UsageError
from seatrial.ledger import beginnings, claims, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.blobs import Blobs
from seatrial.ledger.claims import Claim
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Outcome, Verdict
from seatrial.registry.registry import Move, Registry
from tampering import tamper

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.ledger.runs import Run
    from seatrial.ledger.store import Ledger

    from .conftest import Clock

STEPS = ("a.one", "a.two")


def _begin(
    ledger: Ledger, identity: str, key: str = "key", pipeline: str = "p"
) -> tuple[Run, bool]:
    return beginnings.begin(
        ledger,
        Beginning(
            identity=identity,
            pipeline=pipeline,
            key=key,
            model="m",
            request={"file": "pipeline.yaml"},
            steps=STEPS,
        ),
    )


def _promote(ledger: Ledger, once: str | None = None) -> None:
    registry = Registry(ledger, Blobs(Path("never asked")))
    channel = registry.channel("m", "production")
    revision = channel.revision if channel else 0
    registry.move(
        Move(
            model="m",
            channel="production",
            version=revision + 1,
            expect=revision,
            event="promote",
            by="t",
            reason="r",
            once=once,
        )
    )


def _finish(ledger: Ledger, run: str, address: str, verdict: Verdict) -> None:
    claimed = claims.claim(ledger, run, address, owner="h:1", host="h")
    assert isinstance(claimed, Claim)
    claims.finish(ledger, claimed, Outcome(verdict=verdict, reason="so it is"), 0.1)


def test_a_new_run_is_ready_and_pins_production(ledger: Ledger) -> None:
    _promote(ledger)
    run, resumed = _begin(ledger, "R1")
    assert (resumed, run.state, run.pinned, run.pinned_revision) == (False, State.RUNNING, 1, 1)
    assert (run.verdict, run.ended, run.errors) == (None, None, ())
    assert run.request == {"file": "pipeline.yaml"}
    assert [(s.address, s.position, s.state, s.attempt) for s in runs.steps(ledger, "R1")] == [
        ("a.one", 0, "ready", 0),
        ("a.two", 1, "ready", 0),
    ]


def test_the_same_key_resumes(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    _finish(ledger, "R1", "a.one", Verdict.PASS)
    runs.stop(ledger, "R1", State.STOPPED, ["a disk was full"])
    run, resumed = _begin(ledger, "R2")
    assert (run.id, resumed, run.state, run.errors) == ("R1", True, State.RUNNING, ())
    assert [s.state for s in runs.steps(ledger, "R1")] == ["done", "ready"]
    assert len(runs.latest(ledger)) == 1


def test_another_key_supersedes_and_says_by_whom(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    run, resumed = _begin(ledger, "R2", key="other")
    old = runs.get(ledger, "R1")
    assert (run.id, resumed) == ("R2", False)
    assert (old.state, old.verdict, old.errors) == (
        State.SUPERSEDED,
        None,
        ("superseded by run R2",),
    )
    assert old.ended


def test_another_pipeline_is_left_alone(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    _begin(ledger, "R2", key="other", pipeline="q")
    assert runs.get(ledger, "R1").ended is None


def test_a_finished_run_is_not_resumed(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    runs.end(ledger, "R1", State.FINISHED, Verdict.PASS, None)
    run, resumed = _begin(ledger, "R2")
    assert (run.id, resumed) == ("R2", False)
    assert runs.get(ledger, "R1").state is State.FINISHED


def test_production_moved_by_somebody_else_starts_anew(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    _promote(ledger)
    run, resumed = _begin(ledger, "R2")
    assert (run.id, resumed, run.pinned) == ("R2", False, 1)
    assert runs.get(ledger, "R1").state is State.SUPERSEDED


def test_production_moved_by_the_run_itself_resumes(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    _promote(ledger, once="R1/deploy.promote")
    assert _begin(ledger, "R2")[0].id == "R1"


def test_production_moved_by_the_run_and_then_by_another_starts_anew(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    _promote(ledger, once="R1/deploy.promote")
    _promote(ledger)
    assert _begin(ledger, "R2")[0].id == "R2"


def test_what_could_not_be_said_is_asked_again(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    _finish(ledger, "R1", "a.one", Verdict.PASS)
    _finish(ledger, "R1", "a.two", Verdict.INCONCLUSIVE)
    runs.stop(ledger, "R1", State.REVIEW)
    assert runs.get(ledger, "R1").verdict is Verdict.INCONCLUSIVE
    assert verify(ledger)
    run, resumed = _begin(ledger, "R2")
    first, second = runs.steps(ledger, "R1")
    assert (run.id, resumed, run.verdict) == ("R1", True, None)
    assert first.outcome is not None
    assert (second.state, second.outcome, second.reason) == ("ready", None, None)
    _finish(ledger, "R1", "a.two", Verdict.PASS)
    assert verify(ledger)


def test_a_run_that_has_ended_takes_nothing_more(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    claimed = claims.claim(ledger, "R1", "a.one", owner="h:1", host="h")
    assert isinstance(claimed, Claim)
    runs.end(ledger, "R1", State.CANCELLED, None, None, ["cancelled by ada"])
    head = ledger.head()
    said = Outcome(verdict=Verdict.PASS, reason="too late")
    late: list[Callable[[], object]] = [
        lambda: claims.finish(ledger, claimed, said, 0.1),
        lambda: claims.release(ledger, claimed, "an error"),
        lambda: claims.claim(ledger, "R1", "a.two", owner="h:1", host="h"),
        lambda: runs.stop(ledger, "R1", State.WAITING),
    ]
    for record in late:
        with pytest.raises(SupersededError, match="has ended: cancelled by ada"):
            record()
    runs.end(ledger, "R1", State.FINISHED, Verdict.PASS, 1)  # the first ending stands
    assert (runs.get(ledger, "R1").state, ledger.head()) == (State.CANCELLED, head)


def test_pausing_twice_for_the_same_reason_is_told_once(ledger: Ledger) -> None:
    _begin(ledger, "R1")
    for _ in range(3):
        runs.stop(ledger, "R1", State.WAITING)
    assert len(list(ledger.events("run_paused"))) == 1


def test_runs_are_found_by_the_beginning_of_their_id(ledger: Ledger) -> None:
    _begin(ledger, "01ABC")
    _begin(ledger, "01ABD", key="other")
    assert runs.get(ledger, "01abc").id == "01ABC"
    for unclear, told in (("01AB", "more than one run"), ("9", "no run"), ("%", "no run")):
        with pytest.raises(UsageError, match=told):
            runs.get(ledger, unclear)


def test_the_newest_run_comes_first(ledger: Ledger) -> None:
    for identity in ("R1", "R2", "R3"):
        _begin(ledger, identity, key=identity)
    assert [run.id for run in runs.latest(ledger)] == ["R3", "R2", "R1"]
    assert [run.id for run in runs.latest(ledger, 1)] == ["R3"]


def test_runs_are_looked_through_page_by_page(ledger: Ledger, clock: Clock) -> None:
    for number in range(7):  # two of each moment
        clock.move(number % 2)
        _begin(ledger, f"R{6 - number}", key=str(number), pipeline=f"p{number}")
    seen, page = [], runs.latest(ledger, 3)
    while page:
        seen += page
        page = runs.latest(ledger, 3, before=page[-1].id)
    assert [run.id for run in seen] == [run.id for run in runs.latest(ledger)]
    assert sorted(run.started for run in seen)[::-1] == [run.started for run in seen]
    assert len({run.id for run in seen}) == 7
    with pytest.raises(UsageError, match="no run 'R9'"):
        runs.latest(ledger, before="R9")


def test_runs_are_looked_through_by_how_they_stand(ledger: Ledger) -> None:
    for identity, pipeline in (("R1", "one"), ("R2", "two"), ("R3", "one"), ("R4", "other")):
        _begin(ledger, identity, key=identity, pipeline=pipeline)
    runs.end(ledger, "R2", State.FINISHED, Verdict.FAIL, None)
    assert runs.pipelines(ledger) == ["one", "other", "two"]

    def found(**asked: Any) -> list[str]:
        return [run.id for run in runs.latest(ledger, **asked)]

    assert found(pipeline="one") == ["R3", "R1"]
    assert found(stands=Verdict.FAIL) == found(pipeline="two", stands=State.FINISHED) == ["R2"]
    assert found(stands=State.SUPERSEDED) == found(before="R3", pipeline="one") == ["R1"]
    assert found(pipeline="one", stands=Verdict.FAIL) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE run SET verdict = 'pass'", "run"),
        ("UPDATE run SET state = 'running', verdict = NULL, ended = NULL", "run"),
        ("UPDATE step SET outcome = replace(outcome, 'fail', 'pass')", "step"),
        ("UPDATE step SET outcome = NULL, state = 'ready'", "step"),
    ],
)
def test_verify_finds_an_edited_verdict(ledger: Ledger, statement: str, table: str) -> None:
    _begin(ledger, "R1")
    _finish(ledger, "R1", "a.one", Verdict.FAIL)
    runs.end(ledger, "R1", State.FINISHED, Verdict.FAIL, None)
    assert verify(ledger)
    tamper(ledger.place, statement)
    with pytest.raises(StoreError, match=f"table '{table}' differs"):
        verify(ledger)

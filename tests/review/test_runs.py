"""A run that cannot say asks people once, and does what they or new evidence say."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import plan as plans
from seatrial.engines import _resume
from seatrial.errors import UsageError
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.pipeline.read import read_file
from seatrial.registry import brakes
from seatrial.review import effects
from seatrial.review.deadlines import tend
from seatrial.review.items import Item, Status, decide
from seatrial.serve.look import look
from seatrial.workspace import now

from .conftest import THIRD_PARTY, UNSURE, messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.engines._drive import Driven
    from seatrial.ledger.store import Transaction

    from .conftest import Asking


@pytest.fixture
def unsure(asking: Asking) -> Asking:
    """Its second step cannot say."""
    asking.write("first", "second 2", "third")
    asking.opinions(second__opinion=UNSURE)
    return asking


def _step(driven: Driven, address: str = "second.opinion") -> dict[str, Any]:
    told: Any = driven.document
    stage, _, word = address.partition(".")
    (task,) = [
        t for s in told["stages"] for t in s["tasks"] if (s["name"], t["task"]) == (stage, word)
    ]
    return dict(task)


def _state(asking: Asking) -> State:
    return runs.latest(asking.open().ledger)[0].state


def test_a_run_that_cannot_say_opens_one_item(unsure: Asking) -> None:
    driven = unsure.run()
    assert (driven.exit_code, driven.document["state"]) == (3, "review")
    item = unsure.the_open()
    assert [each.id for each in driven.asked] == [item.id]
    assert (item.kind, item.subject) == ("gate_inconclusive", "asking/second.opinion")
    assert (item.asked.run, item.asked.step) == (driven.document["run"], "second.opinion")
    assert (item.asked.by, item.asked.on_timeout) == ("grace", "reject")
    assert item.due == "2026-01-02T00:00:00+00:00"
    assert item.asked.resolves == "412 more labelled rows would settle it"
    assert "40 rows cannot say" in item.asked.question
    measured: Any = item.asked.evidence["measures"]
    (measure,) = measured
    assert measure["limit"] == 0.82
    assert messages(unsure.open().ledger) == [("review_opened", item.id)]


def test_settings_of_the_file_count(asking: Asking) -> None:
    asking.write("first", settings="review: {hours: 2, four_eyes: true}\n")
    asking.opinions(first__opinion=UNSURE)
    asking.run()
    assert asking.the_open().due == "2026-01-01T02:00:00+00:00"
    with pytest.raises(UsageError, match="grace began run"):
        asking.decide("approve", by="grace")
    assert asking.decide("approve", by="ada").status is Status.APPROVED


def test_an_approved_step_passes_and_the_same_command_goes_on(unsure: Asking) -> None:
    first = unsure.run()
    item = unsure.decide("approve")
    second = unsure.run()
    assert (second.exit_code, second.document["run"]) == (0, first.document["run"])
    assert unsure.calls().count("second.opinion") == 1  # nobody asks it again
    task = _step(second)
    assert (task["state"], task["verdict"], task["waiting_until"]) == ("done", "pass", None)
    assert task["reason"] == (
        "approved by ada on 2026-01-01 00:00 UTC: looked at 30 rows; was: 40 rows cannot say"
    )
    (measure,) = task["measures"]
    assert measure["verdict"] == "inconclusive"  # what was measured stays as it was
    assert {"a person decided" in finding["what"] for finding in task["findings"]} == {True, False}
    assert _step(second, "third.opinion")["verdict"] == "pass"
    assert messages(unsure.open().ledger) == [
        ("review_opened", item.id),
        ("review_closed", item.id),
    ]
    assert verify(unsure.open().ledger)[1] == second.head


@pytest.mark.parametrize("stages", [("first",), ("first", "second")])
def test_under_serve_an_approved_run_goes_on_by_itself(
    asking: Asking, stages: tuple[str, ...]
) -> None:
    """Also when the step was the last one."""
    asking.write(*stages)
    asking.opinions(first__opinion=UNSURE)
    run = str(asking.run().document["run"])
    project = asking.open()
    assert look(project, {}, asking.clock()).waits == ()
    asking.decide("approve")
    assert _state(asking) is State.WAITING
    assert look(project, {}, asking.clock()).waits == (("asking", run),)
    driven = _resume.resume(project, run)
    assert (driven.exit_code, driven.document["verdict"]) == (0, "pass")
    assert look(project, {}, asking.clock()).waits == ()
    verify(project.ledger)


def test_a_rejected_run_ends(unsure: Asking) -> None:
    run = unsure.run().document["run"]
    unsure.decide("reject", reason="not in this season")
    ended = runs.get(unsure.open().ledger, str(run))
    assert (ended.state, ended.verdict) == (State.FINISHED, "inconclusive")
    said = "second.opinion: rejected by ada on 2026-01-01 00:00 UTC: not in this season"
    assert ended.errors == (said,)
    again = unsure.run()  # another run meets the same evidence: nobody is asked again
    assert again.document["run"] != run
    assert (again.exit_code, again.document["state"], again.asked) == (3, "finished", ())
    assert again.document["errors"] == [said]
    assert len(unsure.items()) == 1
    verify(unsure.open().ledger)


def test_when_nobody_answers_the_run_ends(unsure: Asking) -> None:
    unsure.run()
    unsure.clock.move(hours=24)
    (item,) = tend(unsure.open().ledger, unsure.clock())
    assert item.status is Status.EXPIRED
    (run,) = runs.latest(unsure.open().ledger)
    assert (run.state, run.verdict) == (State.FINISHED, "inconclusive")
    assert run.errors == (
        "second.opinion: nobody decided by 2026-01-02 00:00 UTC: production stays as it is",
    )


def test_a_run_notices_that_time_is_over_by_itself(unsure: Asking) -> None:
    first = unsure.run()
    unsure.clock.move(hours=25)
    second = unsure.run()
    assert second.document["run"] != first.document["run"]
    assert (second.exit_code, len(unsure.items())) == (3, 1)
    assert "nobody decided" in second.document["errors"][0]  # type: ignore[index]


def test_the_same_evidence_is_asked_once_across_runs(unsure: Asking) -> None:
    first = unsure.run()
    unsure.decide("approve")
    second = unsure.run("third.opinion.note=another")  # another run; the old one is superseded
    assert second.document["run"] != first.document["run"]
    assert (second.exit_code, len(unsure.items())) == (0, 1)
    assert "approved by ada" in str(_step(second)["reason"])
    verify(unsure.open().ledger)


def test_other_evidence_is_asked_about_anew(unsure: Asking) -> None:
    unsure.run()
    old = unsure.decide("approve")
    unsure.run()
    unsure.opinions(second__opinion={**UNSURE, "value": 0.84})
    assert unsure.run().exit_code == 3
    assert unsure.the_open().id != old.id


def test_asked_again_with_the_same_answer_the_item_stands(unsure: Asking) -> None:
    unsure.run()
    before = unsure.the_open()
    unsure.clock.move(hours=3)
    assert unsure.run().exit_code == 3
    assert unsure.calls().count("second.opinion") == 2
    assert unsure.items() == [before]  # its time goes on


def test_asked_again_with_other_evidence_the_item_is_replaced(unsure: Asking) -> None:
    unsure.run()
    unsure.clock.move(hours=1)
    unsure.opinions(second__opinion={**UNSURE, "value": 0.84})
    unsure.run()
    old, new = unsure.items()
    assert (old.status, old.reason) == (Status.RESOLVED, "superseded by new evidence")
    assert new.status is Status.OPEN


@pytest.mark.parametrize(("verdict", "code"), [("pass", 0), ("fail", 1), ("skip", 0)])
def test_new_evidence_closes_the_item(unsure: Asking, verdict: str, code: int) -> None:
    unsure.run()
    unsure.opinions(second__opinion={"verdict": verdict, "reason": "452 rows say so"})
    assert unsure.run().exit_code == code
    (item,) = unsure.items()
    assert (item.status, item.by) == (Status.RESOLVED, None)
    assert item.reason == f"new evidence: {verdict}: 452 rows say so"
    told = messages(unsure.open().ledger)
    assert told[:2] == [("review_opened", item.id), ("review_closed", item.id)]
    assert [kind for kind, _ in told[2:]] == (["run_failed"] if verdict == "fail" else [])


def test_who_collects_new_evidence_is_not_held_to_the_old_deadline(unsure: Asking) -> None:
    first = unsure.run()
    unsure.opinions(second__opinion={"hours": 48, "verdict": "pass"})
    assert unsure.run().exit_code == 4
    (item,) = unsure.items()
    assert (item.status, item.reason) == (
        Status.RESOLVED,
        "new evidence is collected until 2026-01-03 00:00 UTC: traffic is collected",
    )
    unsure.clock.move(hours=48)
    second = unsure.run()
    assert (second.exit_code, second.document["run"]) == (0, first.document["run"])


def test_a_superseded_run_closes_its_item(unsure: Asking) -> None:
    unsure.run()
    unsure.clock.move(hours=1)
    second = unsure.run("third.opinion.note=another")
    old, new = unsure.items()
    assert old.status is Status.RESOLVED
    assert f"superseded by run {second.document['run']}" in str(old.reason)
    assert new.asked.run == second.document["run"]
    tend(unsure.open().ledger, unsure.clock())
    assert ("review_closed", old.id) in messages(unsure.open().ledger)
    verify(unsure.open().ledger)


def test_a_cancelled_run_closes_its_item(unsure: Asking) -> None:
    run, ledger = str(unsure.run().document["run"]), unsure.open().ledger
    runs.end(ledger, run, State.CANCELLED, None, None, ["cancelled by ada"])
    (item,) = unsure.items()
    assert (item.status, item.reason) == (
        Status.RESOLVED,
        "its run has ended: cancelled by ada",
    )
    assert [each.id for each in tend(ledger, unsure.clock())] == [item.id]
    assert tend(ledger, unsure.clock()) == []


def _meanwhile(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]
) -> None:
    """Have something happen while the second step is being asked."""
    plan = plans.make(read_file(asking.folder / "pipeline.yaml"), asking.folder)
    word: Any = type(plan.steps[0].task)
    honest = word.run

    def run(self: Any, context: Any) -> Any:
        if context.scope.entry.address == "second.opinion":
            happens()
        return honest(self, context)

    monkeypatch.setattr(word, "run", run)


def test_what_is_being_asked_again_cannot_be_approved(
    unsure: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure.run()
    met: list[str] = []

    def approve() -> None:
        with pytest.raises(UsageError) as refused:
            unsure.decide("approve")
        met.append(str(refused.value))

    _meanwhile(unsure, monkeypatch, approve)
    assert unsure.run().exit_code == 3
    assert "is being asked again" in met[0]
    assert len(met[0].splitlines()) <= 6
    monkeypatch.undo()
    assert unsure.decide("approve").status is Status.APPROVED


def test_a_run_that_was_rejected_while_it_was_asked_again_ends_quietly(
    unsure: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsure.run()
    _meanwhile(unsure, monkeypatch, lambda: unsure.decide("reject", reason="enough"))
    driven = unsure.run()
    assert (driven.exit_code, driven.document["state"]) == (3, "finished")
    assert "rejected by ada" in driven.document["errors"][0]  # type: ignore[index]


def test_two_steps_are_asked_about_and_the_run_goes_on_after_both(asking: Asking) -> None:
    asking.write("first", "second", "third")
    text = (asking.folder / "pipeline.yaml").read_text()
    when = "  - name: second\n    condition: '!stages.first.passed'\n"
    (asking.folder / "pipeline.yaml").write_text(text.replace("  - name: second\n", when))
    asking.opinions(first__opinion=UNSURE, second__opinion=UNSURE)
    assert asking.run().exit_code == 3
    one, other = asking.items()
    ledger = asking.open().ledger
    decide(ledger, one.id, "approve", "ada", "fine")
    assert _state(asking) is State.REVIEW
    decide(ledger, other.id, "approve", "ada", "fine too")
    assert _state(asking) is State.WAITING
    assert asking.run().exit_code == 0


def test_a_failure_asks_nobody(asking: Asking) -> None:
    asking.write("first")
    asking.opinions(first__opinion={**UNSURE, "verdict": "fail"})
    assert asking.run().exit_code == 1
    assert asking.items() == []


# what a step asks for itself


def _frozen(asking: Asking) -> None:
    asks = {
        "kind": "storm_freeze",
        "question": "May flights be promoted by itself again?",
        "evidence": {"since": "2026-01-01T00:00:00+00:00"},
    }
    asking.opinions(first__opinion={**UNSURE, "facts": {"asks": asks}})


def test_what_a_step_asks_for_is_lifted_and_the_step_is_asked_again(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking.write("first", "second")
    _frozen(asking)

    def thaw(transaction: Transaction, item: Item, choice: str) -> None:
        if choice == "approve":
            brakes.thaw(transaction, str(item.asked.model), str(item.by), str(item.reason))
            asking.opinions()

    monkeypatch.setitem(effects.EFFECTS, "storm_freeze", thaw)
    ledger = asking.open().ledger
    ledger.write(lambda t: brakes.freeze(t, "asking", "two rollbacks in a week"))
    first = asking.run()
    item = asking.the_open()
    assert (item.kind, item.asked.question) == (
        "storm_freeze",
        "May flights be promoted by itself again?",
    )
    asking.decide("approve")
    assert brakes.frozen(ledger, "asking") is None
    assert look(asking.open(), {}, asking.clock()).waits == (
        ("asking", str(first.document["run"])),
    )
    verify(ledger)
    second = asking.run()
    assert (second.exit_code, second.document["run"]) == (0, first.document["run"])
    assert asking.calls() == ["first.opinion", "first.opinion", "second.opinion"]
    verify(ledger)


def test_what_is_in_the_way_again_is_asked_about_again(asking: Asking) -> None:
    asking.write("first")
    _frozen(asking)
    asking.run()
    first = asking.decide("approve")
    assert asking.run().exit_code == 3  # nothing lifted it
    assert asking.the_open().asked.evidence["after"] == first.id
    asking.decide("reject")
    assert _state(asking) is State.FINISHED


# kill -9

PROGRAM = """
import json, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import seatrial
from seatrial.review import items, run_decisions, stopped_runs
from seatrial.registry.project import open_project
from seatrial import workspace

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where, folder = sys.argv[2], Path(sys.argv[3])
if where == "opening":
    items.tell = die
if where == "halting":
    stopped_runs.runs.pause = die
if where in ("opening", "halting"):
    seatrial.run(folder / "pipeline.yaml")
if where == "deciding":
    run_decisions.runs.pause = die
ledger = open_project(workspace.at(folder)).ledger
with ledger.read() as connection:
    (item,) = items.waiting(connection)
items.decide(ledger, item.id, "approve", "ada", "fine")
"""


@pytest.mark.parametrize("where", ["opening", "halting", "deciding"])
def test_killed_in_the_middle_nothing_is_half_done(unsure: Asking, where: str) -> None:
    unsure.clock.time = now()
    if where == "deciding":
        unsure.run()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(THIRD_PARTY), where, str(unsure.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    unsure.clock.time = now()
    verify(unsure.open().ledger)
    open_now = [item for item in unsure.items() if item.status is Status.OPEN]
    assert len(open_now) == (1 if where == "deciding" else 0)
    assert unsure.run().exit_code == 3
    unsure.decide("approve")
    assert unsure.run().exit_code == 0
    verify(unsure.open().ledger)

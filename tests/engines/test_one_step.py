"""Steps that are called one by one: their turn, what closes the run, what is in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scenarios import THIRD_PARTY
from seatrial.engines import _release
from seatrial.engines._one_step import exit_code
from seatrial.errors import FaultError, UsageError
from seatrial.ledger import runs
from seatrial.ledger.verify import verify
from seatrial.outcome import Outcome
from seatrial.review import items

if TYPE_CHECKING:
    from .conftest import Probing

CHECK, SECOND, TRAIN = "check.probe", "check.probe-2", "train.probe"


def begun(probing: Probing, *stages: str) -> str:
    """A run that was begun, and nothing done yet."""
    probing.write(*stages)
    run = probing.begin("once").run
    assert run
    return run


def test_the_last_step_closes_the_run(probing: Probing) -> None:
    run = begun(probing, "check: pass; skip", "train: pass")
    assert probing.step(run, CHECK).run.state == "running"
    assert probing.step(run, SECOND).run.state == "running"
    last = probing.step(run, TRAIN)
    assert (last.run.state, last.run.verdict, exit_code(last)) == ("finished", "pass", 0)
    with closing((project := probing.open()).ledger):
        verify(project.ledger)


def test_a_step_that_was_done_says_again_what_it_said(probing: Probing) -> None:
    run = begun(probing, "check: pass; fail")
    probing.step(run, CHECK)
    first = probing.step(run, SECOND)
    assert (first.run.verdict, exit_code(first)) == ("fail", 1)
    again = probing.step(run, SECOND)
    assert isinstance(again.said, Outcome)
    assert (again.said, exit_code(again)) == (first.said, 1)
    assert probing.calls() == [CHECK, SECOND]


def test_a_step_out_of_turn_names_the_one_that_comes_first(probing: Probing) -> None:
    run = begun(probing, "check: pass; pass", "train: pass")
    probing.step(run, CHECK)
    with pytest.raises(UsageError, match=r"check\.probe-2 comes first"):
        probing.step(run, TRAIN)
    assert probing.calls() == [CHECK]


def test_after_a_failed_gate_nothing_is_reached(probing: Probing) -> None:
    run = begun(probing, "check: fail; pass", "train: pass")
    probing.step(run, CHECK)
    for address in (SECOND, TRAIN):
        told = probing.step(run, address)
        assert (told.said, exit_code(told)) == (None, 1)
        assert told.why == f"run {run} has ended: fail"


def test_a_stage_that_does_not_start_is_not_reached_and_the_run_goes_on(probing: Probing) -> None:
    run = begun(
        probing,
        "check: pass",
        'train if "!stages.check.passed": pass',
        'last if "stages.check.passed": pass',
    )
    probing.step(run, CHECK)
    left = probing.step(run, TRAIN)
    assert (left.said, left.why) == (None, "its stage does not start, or ended before it")
    assert exit_code(left) == 0
    assert probing.step(run, "last.probe").run.verdict == "pass"


def test_what_cannot_be_said_is_asked_and_an_approval_goes_on(probing: Probing) -> None:
    run = begun(probing, "check: inconclusive", "train: pass")
    told = probing.step(run, CHECK)
    assert (told.run.state, exit_code(told)) == ("review", 3)
    assert probing.step(run, CHECK).run.state == "review"
    with closing((project := probing.open()).ledger):
        (item,) = items.asked_of(project.ledger, run)
        items.decide(project.ledger, item.id, "approve", "somebody", "looked")
    assert exit_code(probing.step(run, CHECK)) == 0
    assert probing.step(run, TRAIN).run.verdict == "pass"
    assert probing.calls() == [CHECK, TRAIN]


def test_a_fault_of_a_task_stops_the_run_and_the_step_can_be_done_again(probing: Probing) -> None:
    run = begun(probing, "check: bug, pass")
    with pytest.raises(FaultError, match="a fault of the plugin"):
        probing.step(run, CHECK)
    with closing((project := probing.open()).ledger):
        assert runs.get(project.ledger, run).state == "stopped"
    assert probing.step(run, CHECK).run.verdict == "pass"


def test_a_cancelled_run_reaches_nothing_more(probing: Probing) -> None:
    run = begun(probing, "check: pass; pass")
    probing.step(run, CHECK)
    with closing((project := probing.open()).ledger):
        runs.end(project.ledger, run, runs.State.CANCELLED, None, None, ["cancelled by anna"])
    told = probing.step(run, SECOND)
    assert (told.said, told.why, exit_code(told)) == (
        None,
        f"run {run} has ended: cancelled by anna",
        5,
    )


def test_another_release_than_the_one_that_planned_the_run_is_told_and_recorded(
    probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(probing, "check: pass")
    ours = _release.installed()
    monkeypatch.setattr("seatrial.engines._release.installed", lambda: "9.9")
    monkeypatch.setattr("seatrial.engines._step.installed", lambda: "9.9")
    probing.step(run, CHECK)
    assert f"note: run {run} was planned by seatrial {ours}; this is seatrial 9.9" in probing.said
    with closing((project := probing.open()).ledger):
        (started,) = project.ledger.events("step_started")
    assert started.body["seatrial"] == "9.9"


def test_the_command_prints_every_key(probing: Probing) -> None:
    run = begun(probing, "check: pass")
    done = subprocess.run(
        [sys.executable, "-m", "seatrial", "step", run, CHECK, "--json"],
        cwd=probing.folder,
        env={**os.environ, "PYTHONPATH": str(THIRD_PARTY)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told == {
        "run": run,
        "step": CHECK,
        "state": "done",
        "verdict": "pass",
        "reason": "call 1: pass",
        "until": None,
        "measures": [],
        "findings": [],
        "run_state": "finished",
        "run_verdict": "pass",
        "exit_code": 0,
    }

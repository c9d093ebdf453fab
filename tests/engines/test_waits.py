"""A wait is a stored deadline: no thread, no process, no lock; 48 hours take milliseconds."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from seatrial.cli import root
from seatrial.errors import SupersededError
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify

if TYPE_CHECKING:
    from seatrial.engines._drive import Driven

    from .conftest import Probing

TWO_DAYS = 48 * 3600


@pytest.fixture
def waiting(probing: Probing) -> Probing:
    probing.write("first: pass", f"shadow: wait {TWO_DAYS}, pass; pass", "deploy: pass")
    return probing


def _task(driven: Driven, stage: int, place: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = driven.document
    task: dict[str, Any] = told["stages"][stage]["tasks"][place]
    return task


def test_a_wait_exits_4_says_until_when_and_holds_nothing(waiting: Probing) -> None:
    threads = threading.active_count()
    driven = waiting.run()
    assert driven.exit_code == 4
    assert (driven.document["state"], driven.document["verdict"]) == ("waiting", None)
    task = _task(driven, 1)
    assert (task["state"], task["verdict"]) == ("waiting", None)
    assert task["waiting_until"] == "2026-01-03T00:00:00+00:00"
    assert _task(driven, 1, 1)["state"] == _task(driven, 2)["state"] == "not_reached"
    assert waiting.said[-1] == (
        "shadow.probe: waits until 2026-01-03 00:00 UTC: traffic is collected"
    )
    assert threading.active_count() == threads
    (stored,) = runs.latest(waiting.open().ledger)
    assert stored.state is State.WAITING


def test_the_run_goes_on_at_the_deadline_and_not_before(waiting: Probing) -> None:
    first = waiting.run()
    waiting.clock.move(seconds=TWO_DAYS - 1)
    early = waiting.run()
    assert (early.exit_code, early.document["run"]) == (4, first.document["run"])
    assert waiting.calls() == ["first.probe", "shadow.probe"]  # not even asked
    waiting.clock.move(seconds=1)
    done = waiting.run()
    assert (done.exit_code, done.document["run"]) == (0, first.document["run"])
    assert waiting.calls() == [
        "first.probe",
        "shadow.probe",
        "shadow.probe",
        "shadow.probe-2",
        "deploy.probe",
    ]
    assert _task(done, 1)["waiting_until"] is None
    assert len(list(waiting.open().ledger.events("run_started"))) == 1


def test_a_step_may_wait_again(probing: Probing) -> None:
    probing.write("first: wait 60, wait 60, fail")
    codes = []
    for _ in range(3):
        codes.append(probing.run().exit_code)
        probing.clock.move(seconds=60)
    assert codes == [4, 4, 1]


def test_wait_stays_until_it_is_over(probing: Probing, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        probing.clock.move(seconds=seconds)

    monkeypatch.setattr("seatrial.engines.embedded.time", SimpleNamespace(sleep=sleep))
    probing.write("first: wait 20.5, pass")
    driven = probing.run(wait=True)
    assert (driven.exit_code, sum(slept)) == (0, 20.5)
    assert probing.calls() == ["first.probe"] * 2


def test_wait_ends_soon_after_the_run_is_cancelled(
    waiting: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        waiting.clock.move(seconds=seconds)
        if len(slept) == 3:
            _cancel(waiting, monkeypatch)

    monkeypatch.setattr("seatrial.engines.embedded.time", SimpleNamespace(sleep=sleep))
    driven = waiting.run(wait=True)
    assert (driven.exit_code, len(slept)) == (5, 3)
    assert isinstance(driven.error, SupersededError)
    assert "has ended: cancelled by" in str(driven.error)
    assert driven.document["state"] == "finished"


def _cancel(probing: Probing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(probing.folder)
    (waiting,) = [r for r in runs.latest(probing.open().ledger) if r.ended is None]
    cancelled = CliRunner().invoke(root, ["cancel", waiting.id])
    assert cancelled.exit_code == 0, cancelled.output


def test_a_cancelled_wait_is_over_and_the_next_run_is_a_new_one(
    waiting: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = waiting.run()
    _cancel(waiting, monkeypatch)
    stored = runs.get(waiting.open().ledger, str(first.document["run"]))
    assert (stored.state, stored.verdict) == (State.CANCELLED, None)
    waiting.clock.move(seconds=TWO_DAYS)
    second = waiting.run()
    assert second.document["run"] != first.document["run"]
    assert runs.get(waiting.open().ledger, stored.id) == stored
    verify(waiting.open().ledger)


def test_other_settings_supersede_a_waiting_run(waiting: Probing) -> None:
    first = waiting.run()
    second = waiting.run("shadow.probe.script=[pass]")
    assert (second.exit_code, second.document["run"] != first.document["run"]) == (0, True)
    stored = runs.get(waiting.open().ledger, str(first.document["run"]))
    assert stored.state is State.SUPERSEDED
    assert stored.errors == (f"superseded by run {second.document['run']}",)


def test_an_edited_file_supersedes_a_waiting_run(waiting: Probing) -> None:
    first = waiting.run()
    waiting.write("first: pass")
    assert waiting.run().exit_code == 0
    stored = runs.get(waiting.open().ledger, str(first.document["run"]))
    assert stored.state is State.SUPERSEDED


def test_the_same_settings_resume(waiting: Probing) -> None:
    change = "first.probe.note=two"
    assert waiting.run(change).document["run"] == waiting.run(change).document["run"]

"""With a model in production a candidate needs its traffic; without a gateway the run stops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from seatrial.cli import root

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from tests.tasks.conftest import Project

MODEL = "ml_model_training_pipeline"


def _retrain(project: Project) -> None:
    project.hyperparameters("n_estimators: 21\nlearning_rate: 0.2\nnum_leaves: 15\n")


def test_without_a_gateway_it_stops_and_can_be_resumed(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    _retrain(delivered)
    went = delivered.run()
    assert (went.code, went.document["verdict"]) == (5, None)
    assert went.document["state"] == "waiting"
    assert went.production == (1, 1)
    assert went.task("shadow_tests")["state"] == "waiting"
    assert "no gateway is running" in went.errors
    assert f"seatrial promote {MODEL} 2" in went.errors
    assert len(went.errors.splitlines()) <= 6
    assert went.task("promote")["state"] == "not_reached"
    again = delivered.run()
    assert (again.code, again.run) == (5, went.run)
    events = stores(delivered).ledger.events("step_started")
    started = [e.body["step"] for e in events if e.body["run"] == went.run]
    assert started.count("train_model.train") == 1
    assert started.count("evaluate_model.shadow_tests") == 2


def test_it_warns_at_the_start(delivered: Project) -> None:
    _retrain(delivered)
    went = delivered.run()
    notes = [i for i, line in enumerate(went.lines) if "needs the traffic" in line]
    first = next(i for i, line in enumerate(went.lines) if "validate_data.check_schema:" in line)
    assert notes
    assert notes[0] < first


def test_a_decision_by_hand_ends_the_question(
    delivered: Project, monkeypatch: pytest.MonkeyPatch, stores: Callable[[Project], Any]
) -> None:
    _retrain(delivered)
    stopped = delivered.run()
    monkeypatch.chdir(delivered.folder)
    words = ["promote", MODEL, "2", "--reason", "looked at it"]
    assert CliRunner().invoke(root, words, standalone_mode=False).exception is None
    went = delivered.run()
    assert (went.code, went.production) == (0, (2, 2))
    assert went.run != stopped.run
    assert [m["version"] for m in stores(delivered).registry.history()] == [1, 2]


def test_without_shadow_tests_the_offline_comparison_decides(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    delivered.edit(
        "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n", ""
    )
    _retrain(delivered)
    went = delivered.run()
    assert (went.code, went.production) == (0, (1, 2))
    assert went.measures("integration_tests")["degradation.accuracy"]["verdict"] == "pass"
    assert "version 1 is kept and whole" in went.reason("rollback_plan")
    assert stores(delivered).registry.previous(MODEL) == 1

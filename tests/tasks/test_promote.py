"""A version is delivered on evidence about it, against what was there; else nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from seatrial.cli import root

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from tests.tasks.conftest import Project

MODEL = "ml_model_training_pipeline"
INTEGRATION = "evaluate_model.integration_tests"
UNIT = "evaluate_model.unit_tests"


def _by_hand(monkeypatch: pytest.MonkeyPatch, project: Project, *words: str) -> None:
    monkeypatch.chdir(project.folder)
    ended = CliRunner().invoke(root, list(words), standalone_mode=False)
    assert ended.exception is None, ended.output


def test_without_a_bound_on_held_out_rows_nothing_is_proven(fresh: Project) -> None:
    fresh.edit("          performance_threshold: 0.82\n", "")
    went = fresh.run(f"{UNIT}.performance_threshold=0.6")
    assert went.verdict("unit_tests") == "pass"
    assert went.verdict("promote") == "inconclusive"
    assert "no bound on held-out rows passed" in went.reason("promote")
    (finding,) = went.task("promote")["findings"]
    assert "integration_tests" in finding["hint"]
    assert (went.code, went.production) == (3, (None, None))
    assert went.task("rollback_plan")["state"] == "not_reached"


def test_production_that_was_moved_meanwhile_is_left_alone(
    fresh: Project, monkeypatch: pytest.MonkeyPatch, stores: Callable[[Project], Any]
) -> None:
    def say(line: str) -> None:
        if line.startswith(INTEGRATION):
            _by_hand(monkeypatch, fresh, "promote", MODEL, "1", "--reason", "in a hurry")

    went = fresh.run(say=say)
    assert (went.code, went.verdict("promote")) == (3, "inconclusive")
    assert "moved meanwhile" in went.reason("promote")
    history = stores(fresh).registry.history()
    assert [move["reason"] for move in history] == ["in a hurry"]


def test_staging_that_was_moved_meanwhile_is_left_alone(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    registry = stores(fresh).registry

    def say(line: str) -> None:
        if line.startswith(INTEGRATION):
            manifest = registry.manifest(registry.version(MODEL, 1))
            other = {**manifest, "metrics": {}}
            registry.register(MODEL, other, label="other", run="another", by="another")

    went = fresh.run(say=say)
    assert (went.code, went.verdict("promote")) == (3, "inconclusive")
    assert "staging was moved to version 2 by another run" in went.reason("promote")
    assert registry.channel(MODEL, "production") is None


def test_the_history_says_why(delivered: Project, stores: Callable[[Project], Any]) -> None:
    (move,) = stores(delivered).registry.history()
    assert move["event"] == "promote"
    assert move["version"] == 1
    assert move["by"].startswith("run ")
    assert "accuracy 0.9" in move["reason"]


def test_a_stage_without_a_plan_installs_no_policy(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    fresh.edit(
        "      - rollback_plan:\n          previous_version: retained\n"
        "          auto_rollback_threshold: degradation > 0.05\n",
        "",
    )
    went = fresh.run()
    assert (went.code, went.production) == (0, (None, 1))
    assert stores(fresh).registry.policy(MODEL) is None


def test_the_plan_alone_renews_the_policy(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    """The same model again promotes nothing, but the file's new number counts from now on."""
    went = delivered.run('deploy_model.rollback_plan.auto_rollback_threshold="degradation > 0.02"')
    assert (went.code, went.verdict("rollback_plan")) == (0, "pass")
    assert "no previous version" in went.reason("rollback_plan")
    assert stores(delivered).registry.policy(MODEL)["degradation_margin"] == 0.02

"""The founding file, byte for byte: the first delivery, the same again, and a bad one stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import StoreError
from seatrial.registry import registry as registries
from seatrial.registry.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    import pytest
    from tests.tasks.conftest import Project

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
MODEL = "ml_model_training_pipeline"
POLICY = Policy(degradation_margin=0.05, metric="accuracy", promised=0.82)


def test_it_runs_as_it_stands_to_a_version_in_production(fresh: Project) -> None:
    before = {f for f in fresh.folder.rglob("*") if f.is_file()}
    went = fresh.run()
    assert fresh.file.read_bytes() == FOUNDING.read_bytes()
    assert (went.code, went.document["verdict"], went.errors) == (0, "pass", "")
    assert went.production == (None, 1)
    written = {f for f in fresh.folder.rglob("*") if f.is_file()} - before
    assert all(".seatrial" in file.parts for file in written)


def test_the_first_version_has_nothing_to_be_compared_with(fresh: Project) -> None:
    went = fresh.run()
    compared = went.measures("integration_tests")["degradation.accuracy"]
    assert (compared["value"], compared["verdict"], compared["limit"]) == (None, "skip", 0.05)
    bound = went.measures("integration_tests")["accuracy"]
    assert bound["verdict"] == "pass"
    assert bound["low"] >= bound["limit"] == 0.82
    assert bound["n"] == 600
    assert "nothing is in production yet" in went.reason("integration_tests")
    assert went.verdict("shadow_tests") == "skip"
    assert "nothing is in production yet" in went.reason("shadow_tests")
    assert went.verdict("promote") == "pass"


def test_the_manifest_tells_what_a_version_was_made_from(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    registry = stores(delivered).registry
    version = registry.version(MODEL, 1)
    manifest = registry.manifest(version)
    assert version.label == "trained_model_v1"
    files = {"model.onnx", "matrix.onnx", "native", "golden.json"}
    files |= {"training_metrics.json", "profile.json"}
    assert set(manifest["files"]) == files
    training = manifest["training"]
    assert training["hyperparameters"]["n_estimators"] == 20
    assert training["features"] == [[f"feature_{i}", "number"] for i in (1, 2, 3)]
    assert training["rows"] == 1500
    assert "accuracy" in manifest["metrics"]
    assert manifest["parity"]["largest_difference"] <= 1e-5


def test_the_policy_is_installed_in_the_transaction_that_promotes(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    opened = stores(delivered)
    assert opened.registry.policy(MODEL) == POLICY.to_json()
    events = list(opened.ledger.events())
    promoted = next(e for e in events if e.body.get("event") == "promote")
    installed = next(e for e in events if e.kind == "policy_installed")
    assert (installed.seq, installed.at) == (promoted.seq + 1, promoted.at)


def test_without_its_policy_a_promotion_does_not_happen(
    fresh: Project, stores: Callable[[Project], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(registries, "_install", broken)
        went = fresh.run()
    assert (went.code, went.production) == (5, (None, None))
    assert "the disk is full" in went.errors
    assert stores(fresh).registry.channel(MODEL, "production") is None
    again = fresh.run()
    assert (again.code, again.run, again.production) == (0, went.run, (None, 1))


def test_the_same_again_changes_nothing(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    moves = len(stores(delivered).registry.history())
    went = delivered.run()
    assert (went.code, went.production) == (0, (1, 1))
    assert went.document["model"]["version"] == 1
    for word in ("train", "register"):
        assert "re-used" in went.reason(word)
    for word in ("check_schema", "check_distribution", "unit_tests"):
        assert "re-used" not in went.reason(word)
    assert "this is the model in production" in went.reason("integration_tests")
    assert went.measures("integration_tests")["degradation.accuracy"]["verdict"] == "skip"
    assert went.verdict("shadow_tests") == "skip"
    assert "this is the model in production" in went.reason("shadow_tests")
    assert "stays in production" in went.reason("promote")
    opened = stores(delivered)
    assert len(opened.registry.history()) == moves
    assert len(opened.registry.versions()) == 1


def test_a_shuffled_target_is_stopped(fresh: Project) -> None:
    fresh.rows("training_data", 1500, 1, shuffled=True)
    went = fresh.run()
    assert (went.code, went.document["verdict"]) == (1, "fail")
    assert went.production == (None, None)
    assert went.verdict("unit_tests") == "fail"
    for word in ("integration_tests", "shadow_tests", "promote", "rollback_plan"):
        assert went.task(word)["state"] == "not_reached"
        assert went.verdict(word) is None


def test_a_shuffled_target_leaves_production_as_it_is(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    delivered.rows("training_data", 1500, 1, shuffled=True)
    went = delivered.run()
    assert (went.code, went.production) == (1, (1, 1))
    assert went.document["model"]["version"] == 2
    registry = stores(delivered).registry
    assert registry.channel(MODEL, "production").version == 1
    registry.verify(registry.version(MODEL, 1))

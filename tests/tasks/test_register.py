"""What a new version says of the machines that will answer with it, from the pipeline file in."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.environment.demands import Demands
from seatrial.inference import golden
from seatrial.registry.opened import opened

if TYPE_CHECKING:
    from tests.tasks.conftest import Project, Went

FILE = """
name: ml_model_training_pipeline
{top}
stages:
  - name: make
    tasks:
      - train: {train}
      - register: {register}
"""
BUILT_IN = {"model_type": "gradient_boosted", "data": "training_data"}


def made(
    project: Project,
    *,
    train: dict[str, object] | None = None,
    register: dict[str, object] | None = None,
    top: str = "",
) -> tuple[Went, dict[str, Any]]:
    """The run, and the manifest of the version that it made."""
    parts = {"train": json.dumps(train or BUILT_IN), "register": json.dumps(register or {})}
    project.file.write_text(FILE.format(top=top, **parts))
    went = project.run()
    assert went.code == 0, went.errors
    stores = project.stores()
    with closing(stores.ledger):
        version = stores.registry.version(went.document["model"]["name"], 1)
        return went, stores.registry.manifest(version)


def test_a_version_says_what_proves_it_and_how_equal_is_equal(fresh: Project) -> None:
    _, manifest = made(fresh)
    told = manifest["golden"]
    assert 64 <= told["rows"] <= 512
    assert sum(told["kinds"].values()) == told["rows"]
    assert {"typical", "boundary", "edge", "extreme", "missing"} <= set(told["kinds"])
    assert told["tolerance"]["answers"] >= 3 * told["spread"]
    assert told["tolerance"]["rows_at_once"] == 1
    assert len(told["tried"]) > 4
    assert told["calibrated"] is True


def test_the_rows_that_are_kept_prove_the_version_that_is_kept(fresh: Project) -> None:
    _, manifest = made(fresh)
    stores = fresh.stores()
    with closing(stores.ledger):
        version = stores.registry.version(manifest["model"], 1)
        rows = stores.registry.file(version, "golden.json")
        proof = golden.verify(
            opened(stores.registry, version), rows, Demands.of(manifest).tolerance
        )
    assert (proof.ok, proof.rows) == (True, manifest["golden"]["rows"])


def test_a_model_in_onnx_needs_two_packages_whatever_trained_it(fresh: Project) -> None:
    _, manifest = made(fresh)
    assert manifest["needs"] == {
        "form": "onnx",
        "packages": ["numpy", "onnxruntime"],
        "providers": ["CPUExecutionProvider"],
        "int8": "none",
        "saturates": False,
    }
    assert manifest["environment"]["dependencies"]["lightgbm"]


def test_the_policy_of_the_file_goes_with_the_version(fresh: Project) -> None:
    _, manifest = made(fresh, top="environment: {policy: {kernel: warn, machine: error}}")
    assert manifest["environment_policy"] == {"kernel": "warn", "machine": "error"}
    assert Demands.of(manifest).policy.levels["machine"] == "error"


def test_how_many_rows_and_how_equal_may_be_said(fresh: Project) -> None:
    _, manifest = made(fresh, register={"golden_rows": 64, "golden_tolerance": 0.003})
    told = manifest["golden"]
    assert told["rows"] <= 100
    assert (told["tolerance"]["answers"], told["calibrated"]) == (0.003, False)


@pytest.mark.parametrize(
    "register",
    [{"golden_rows": 63}, {"golden_rows": 513}, {"golden_tolerance": 0}, {"golden_tolerance": "x"}],
    ids=str,
)
def test_what_proves_nothing_is_refused_with_its_line(
    fresh: Project, register: dict[str, object]
) -> None:
    fresh.file.write_text(
        FILE.format(top="", train=json.dumps(BUILT_IN), register=json.dumps(register))
    )
    went = fresh.run()
    assert went.code == 2
    assert next(iter(register)) in went.errors


def test_the_same_training_registered_with_another_policy_is_another_version(
    fresh: Project,
) -> None:
    first, _ = made(fresh)
    parts = {"train": json.dumps(BUILT_IN), "register": "{}"}
    fresh.file.write_text(FILE.format(top="environment: {policy: {kernel: warn}}", **parts))
    second = fresh.run()
    assert second.document["model"]["version"] == first.document["model"]["version"] + 1
    assert "re-used" in second.reason("train")

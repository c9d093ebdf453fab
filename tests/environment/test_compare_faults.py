"""Faults injected into a real interpreter, found between two real captures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.environment.compare import compare
from seatrial.environment.needs import Needs

if TYPE_CHECKING:
    from pathlib import Path

ONNX = Needs(form="onnx", packages=("numpy", "onnxruntime"), providers=("CPUExecutionProvider",))
PICKLE = Needs(form="pickle", packages=("numpy", "scikit-learn"))
CAPTURE = (
    "import json; from seatrial.environment.capture import capture; print(json.dumps(capture()))"
)


def captured(**variables: str) -> dict[str, Any]:
    """What another process of this interpreter captures under some variables."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", CAPTURE], env=kept | variables, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def build() -> dict[str, Any]:
    return captured()


def metadata(folder: Path, name: str, version: str) -> str:
    """A folder with another version of a package, to stand first on the path."""
    home = folder / f"{name}-{version}.dist-info"
    home.mkdir(parents=True)
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return str(folder)


def test_two_captures_of_one_interpreter_differ_in_nothing(build: dict[str, Any]) -> None:
    assert compare(build, captured()) == ()


def test_a_wrong_version_of_what_answers_is_an_error(build: dict[str, Any], tmp_path: Path) -> None:
    here = captured(PYTHONPATH=metadata(tmp_path, "scikit_learn", "1.5.0"))
    found = {each.field: each for each in compare(build, here, PICKLE)}
    wrong = found["dependencies.scikit-learn"]
    assert (wrong.level, wrong.got) == ("error", "1.5.0")
    assert wrong.fix == f"pip install scikit-learn=={build['dependencies']['scikit-learn']}"
    assert found["hidden.scikit-learn"].level == "warn"
    # An ONNX model does not care which scikit-learn lies beside.
    assert {each.level for each in compare(build, here, ONNX)} == {"info"}


def test_a_missing_package_is_an_error(build: dict[str, Any], tmp_path: Path) -> None:
    there = captured(PYTHONPATH=metadata(tmp_path, "own_features", "1.0"))
    [missing] = compare(there, build, Needs(form="pickle", packages=("numpy", "own-features")))
    assert (missing.field, missing.level) == ("dependencies.own-features", "error")
    assert missing.fix == "pip install own-features==1.0"


def test_other_kernels_of_blas_are_seen(build: dict[str, Any]) -> None:
    if not build["libraries"] or build["libraries"][0]["api"] != "openblas":
        pytest.skip("numpy brings no OpenBLAS here, or threadpoolctl is not installed")
    here = captured(OPENBLAS_CORETYPE="Nehalem")
    found = {each.field: each for each in compare(build, here, PICKLE)}
    assert "Nehalem" in found["libraries"].got
    assert (found["libraries"].level, found["libraries"].proven) == ("warn", "info")
    assert found["variables.OPENBLAS_CORETYPE"].fix == "unset OPENBLAS_CORETYPE"


def test_other_threads_are_seen_with_what_to_export() -> None:
    there = captured(OMP_NUM_THREADS="1")
    here = captured(OMP_NUM_THREADS="2")
    found = {each.field: each for each in compare(there, here, ONNX)}
    assert found["variables.OMP_NUM_THREADS"].fix == "export OMP_NUM_THREADS=1"
    assert found["variables.OMP_NUM_THREADS"].level == "warn"

"""The founding names and shapes, and what the original got wrong."""

from __future__ import annotations

import copy
import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import seatrial
from seatrial.environment.capture import fingerprint
from seatrial.environment.validator import EnvironmentValidator
from seatrial.errors import FormError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = ["numpy", "onnxruntime", "scikit-learn"]


def founding(**changes: Any) -> dict[str, Any]:
    """An environment as the founding document shapes it."""
    return {
        "python_version": "3.11.7",
        "dependencies": {"numpy": "2.4.6", "onnxruntime": "1.32.0", "scikit-learn": "1.9.1"},
        "cpu_info": "Fast 3000 (avx2)",
        "cuda_available": False,
        "timestamp": "2026-01-01T00:00:00",
        **changes,
    }


def dependencies(**changes: str | None) -> dict[str, str]:
    found: dict[str, str | None] = {**founding()["dependencies"], **changes}
    return {name.replace("_", "-"): each for name, each in found.items() if each is not None}


def test_it_is_had_from_the_package() -> None:
    assert seatrial.EnvironmentValidator is EnvironmentValidator


def test_a_capture_has_the_founding_keys_and_what_is_really_here() -> None:
    found = EnvironmentValidator(EXPECTED).capture_environment_hash()
    assert found["python_version"] == platform.python_version()
    for name in EXPECTED:
        assert found["dependencies"][name] == importlib.metadata.version(name)
    assert found["cuda_available"] is False or found["cuda"]["gpus"]
    assert "\n" not in found["cpu_info"]
    assert found["cpu"]["model"] in found["cpu_info"]
    assert datetime.fromisoformat(found["timestamp"]).tzinfo is not None
    assert found["hash"] == fingerprint(found)


def test_the_hash_is_the_same_at_another_time() -> None:
    early = EnvironmentValidator(EXPECTED, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    late = EnvironmentValidator(EXPECTED, lambda: datetime(2027, 1, 1, tzinfo=UTC))
    first, second = early.capture_environment_hash(), late.capture_environment_hash()
    assert first["timestamp"] != second["timestamp"]
    assert first["hash"] == second["hash"]


def test_it_describes_the_interpreter_that_runs_without_being_activated(tmp_path: Path) -> None:
    """No pip and no other Python of the path is asked."""
    (tmp_path / "pip").write_text("#!/bin/sh\ntouch $0.was-called\necho Version: 0.0\n")
    (tmp_path / "pip").chmod(0o755)
    code = (
        "from seatrial import EnvironmentValidator as V; "
        "print(V(['packaging']).capture_environment_hash()['dependencies']['packaging'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == importlib.metadata.version("packaging")
    assert not (tmp_path / "pip.was-called").exists()


def test_the_same_environment_is_consistent() -> None:
    validator = EnvironmentValidator(EXPECTED)
    here = validator.capture_environment_hash()
    assert validator.validate_consistency(here, validator.capture_environment_hash()) == (True, [])
    assert validator.validate_consistency(founding(), founding()) == (True, [])


def test_a_missing_dependency_is_not_found_and_missing_on_both_sides_is_an_error() -> None:
    validator = EnvironmentValidator([*EXPECTED, "no-such-package"])
    here = validator.capture_environment_hash()
    assert here["dependencies"]["no-such-package"] == "not_found"
    consistent, lines = validator.validate_consistency(here, here)
    assert not consistent
    [line] = lines
    assert line.startswith("error dependencies.no-such-package: not installed -> not installed")
    assert line.endswith("pip install no-such-package")


@pytest.mark.parametrize(
    ("training", "serving", "consistent", "begins"),
    [
        ({}, {"dependencies": dependencies(numpy="2.4.7")}, True, "warn dependencies.numpy"),
        ({}, {"dependencies": dependencies(numpy="2.5.0")}, False, "error dependencies.numpy"),
        ({}, {"dependencies": dependencies(numpy="3.0")}, False, "error dependencies.numpy"),
        ({}, {"dependencies": dependencies(numpy="x")}, False, "error dependencies.numpy"),
        ({}, {"dependencies": dependencies(numpy=None)}, False,
         "error dependencies.numpy: 2.4.6 -> not installed"),
        ({"dependencies": dependencies(numpy=None)}, {}, False,
         "error dependencies.numpy: not installed -> 2.4.6"),
        ({}, {"dependencies": dependencies(numpy="not_found")}, False,
         "error dependencies.numpy: 2.4.6 -> not installed"),
        ({}, {"dependencies": dependencies(numpy="unknown")}, False,
         "error dependencies.numpy: 2.4.6 -> not installed"),
        ({}, {"dependencies": dependencies(evil="6.6.6")}, True,
         "warn dependencies.evil: not installed -> 6.6.6"),
        ({"dependencies": dependencies(helper="1.0")}, {}, True,
         "warn dependencies.helper: 1.0 -> not installed"),
        ({"dependencies": dependencies(helper="1.0")},
         {"dependencies": dependencies(helper="2.0")}, True, "warn dependencies.helper: 1.0"),
        ({}, {"python_version": "3.12.1"}, False, "error python_version: 3.11.7 -> 3.12.1"),
        ({}, {"cpu_info": "Slow (sse4_2)"}, True, "warn cpu_info: Fast 3000 (avx2) -> Slow"),
        ({"cuda_available": True}, {}, True, "warn cuda.available: GPU -> no GPU"),
        ({"machine": "x86_64"}, {"machine": "aarch64"}, False, "error machine: x86_64 -> aarch64"),
    ],
)  # fmt: skip
def test_each_difference_has_its_line(
    training: dict[str, Any], serving: dict[str, Any], begins: str, *, consistent: bool
) -> None:
    validator = EnvironmentValidator(EXPECTED)
    said, lines = validator.validate_consistency(founding(**training), founding(**serving))
    [line] = lines
    assert line.startswith(begins)
    assert said is consistent


def test_a_patch_of_python_is_no_warning() -> None:
    validator = EnvironmentValidator(EXPECTED)
    later = founding(python_version="3.11.9")
    assert validator.validate_consistency(founding(), later) == (True, [])


@pytest.mark.parametrize(
    "expected", [["numpy==2.4.5"], ["numpy == 2.4.5"], {"numpy": "2.4.5"}, ("NumPy==2.4.5",)]
)
def test_a_version_that_is_demanded_must_be_there(expected: Any) -> None:
    validator = EnvironmentValidator(expected)
    here = founding(dependencies={"numpy": "2.4.6"})
    consistent, lines = validator.validate_consistency(here, here)
    assert not consistent
    assert [line.partition(" (")[0] for line in lines] == [
        "error dependencies.numpy: 2.4.5 -> 2.4.6"
    ] * 2
    right = founding(dependencies={"numpy": "2.4.5"})
    assert validator.validate_consistency(right, right) == (True, [])


def test_errors_come_first_and_the_order_is_always_the_same() -> None:
    validator = EnvironmentValidator(["b", "a"])
    there, here = founding(dependencies={"z": "1"}), founding(dependencies={"y": "1"})
    lines = validator.validate_consistency(there, here)[1]
    assert [line.partition(":")[0] for line in lines] == [
        "error dependencies.a", "error dependencies.b",
        "warn dependencies.y", "warn dependencies.z",
    ]  # fmt: skip


def test_an_environment_may_be_changed_in_hand() -> None:
    validator = EnvironmentValidator(EXPECTED)
    here = validator.capture_environment_hash()
    there = copy.deepcopy(here)
    there["dependencies"]["numpy"] = "1.26.4"
    consistent, lines = validator.validate_consistency(there, here)
    assert not consistent
    assert lines[0].startswith("error dependencies.numpy: 1.26.4 -> ")


@pytest.mark.parametrize(
    ("wrong", "kind", "said"),
    [
        (None, UsageError, "serving_env is of the type NoneType"),
        ([], UsageError, "serving_env is of the type list"),
        ("{}", UsageError, "serving_env is of the type str"),
        ({}, FormError, "serving_env lacks dependencies and python_version"),
        ({"dependencies": {}}, FormError, "serving_env lacks python_version"),
        (founding(dependencies=["numpy"]), FormError, "dependencies is a list"),
        (founding(dependencies={"numpy": None}), FormError, "dependencies.numpy is null"),
        (founding(python_version=3.11), FormError, "python_version is 3.11"),
        (founding(cpu={1, 2}), FormError, "not made of plain values"),
        (founding(format="seatrial.environment/9"), FormError, "seatrial.environment/9"),
    ],
)
def test_what_is_no_environment_is_said(wrong: Any, kind: type[Exception], said: str) -> None:
    validator = EnvironmentValidator(EXPECTED)
    with pytest.raises(kind, match=said):
        validator.validate_consistency(founding(), wrong)
    with pytest.raises(kind, match=said.replace("serving_env", "training_env")):
        validator.validate_consistency(wrong, founding())


@pytest.mark.parametrize(
    "wrong",
    [
        None, 3, "numpy", ["numpy>=2"], [""], [3], ["numpy==x"], ["-r a.txt"], ["a==1\nb==2"],
        {"numpy": ">=2"}, {3: None}, {"numpy": 2},
    ],
)  # fmt: skip
def test_what_is_no_dependency_is_said(wrong: Any) -> None:
    with pytest.raises(UsageError) as caught:
        EnvironmentValidator(wrong)
    assert len(str(caught.value).splitlines()) <= 6


def test_no_expected_dependency_still_compares_the_rest() -> None:
    consistent, _ = EnvironmentValidator([]).validate_consistency(
        founding(), founding(python_version="3.12.0")
    )
    assert not consistent

"""The captured environment: complete, repeatable, without secrets."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import sys
import time

import pytest

from seatrial.environment.capture import capture, cpu, dependencies, fingerprint


def test_it_says_what_runs_here() -> None:
    found = json.loads(json.dumps(capture()))
    assert found["python_version"] == platform.python_version()
    assert found["dependencies"]["numpy"] == importlib.metadata.version("numpy")
    assert found["dependencies"]["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert "CPUExecutionProvider" in found["onnxruntime_providers"]
    assert found["hash"].startswith("sha256:")


def test_it_repeats_and_time_stays_outside_the_hash() -> None:
    first = capture()
    assert first == capture()
    assert "timestamp" not in first
    later = capture("2026-01-01T00:00:00Z")
    assert later.pop("timestamp") == "2026-01-01T00:00:00Z"
    assert later == first


def test_any_change_changes_the_hash() -> None:
    found = capture()
    for key in set(found) - {"hash"}:
        assert fingerprint({**found, key: "other"}) != found["hash"], key


def test_only_listed_variables_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("SEATRIAL_TOKEN", "very-secret")
    found = capture()
    assert found["variables"]["OMP_NUM_THREADS"] == "3"  # type: ignore[index]
    assert "very-secret" not in json.dumps(found)


@pytest.mark.parametrize(
    ("text", "model", "flags"),
    [
        ("", "", []),
        ("processor\t: 0\nmodel name\t: AMD\nflags\t\t: fpu avx2 avx512_vnni\n", "AMD",
         ["avx2", "avx512_vnni"]),
        ("CPU implementer : 0x41\nCPU part : 0xd0c\nFeatures : fp asimd asimddp\n", "0x41 0xd0c",
         ["asimd", "asimddp"]),
    ],
)  # fmt: skip
def test_the_processor_of_any_machine(text: str, model: str, flags: list[str]) -> None:
    assert cpu(text) == {"model": model, "flags": flags}


def test_every_distribution_is_there_under_its_normal_name() -> None:
    found = dependencies()
    assert list(found) == sorted(found)
    assert all(name == name.lower() and "_" not in name for name in found)


def test_it_is_quick_and_loads_no_training_library() -> None:
    code = (
        "import sys; from seatrial.environment.capture import capture; capture(); "
        "sys.exit(', '.join({'lightgbm', 'sklearn', 'onnx', 'scipy'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    before = time.process_time()
    capture()
    assert time.process_time() - before < 1

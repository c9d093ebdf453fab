"""The libraries that compute: as they are loaded here, not installed, or broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnxruntime

from seatrial.environment.machine.libraries import libraries, runtime
from seatrial.environment.machine.reply import reply

SOURCE = Path(__file__).parents[3] / "src"


def test_the_runtime_says_what_it_is() -> None:
    found = runtime().value
    assert found is not None
    assert found["version"] == onnxruntime.__version__
    assert "CPUExecutionProvider" in found["providers"]


def test_a_library_that_computes_is_told_once_and_without_its_place() -> None:
    found = libraries().value
    assert found
    assert len({json.dumps(each) for each in found}) == len(found)
    assert all(each["threads"] >= 1 for each in found)
    assert "site-packages" not in json.dumps(found)


def test_another_kernel_is_seen() -> None:
    # OpenBLAS chooses by the processor, unless it is told otherwise.
    code = "from seatrial.environment.machine.libraries import libraries; print(libraries().value)"
    shown = {
        kernel: subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for kernel in ("Haswell", "Nehalem")
    }
    assert shown["Haswell"] != shown["Nehalem"]


def test_what_is_not_installed_is_not_known_and_no_trouble(tmp_path: Path) -> None:
    found = captured(tmp_path)
    assert found["libraries"] is None
    assert found["onnxruntime"] is None
    assert found["cuda"]["available"] is False
    assert "trouble" not in found


def test_what_is_broken_is_told_and_the_rest_is_still_described(tmp_path: Path) -> None:
    planted(tmp_path, "onnxruntime", "raise ImportError('/usr/lib/libfoo.so: cannot open')")
    planted(tmp_path, "threadpoolctl", "import no_such_thing")
    planted(tmp_path, "pynvml", "raise RuntimeError('out of order\\nsecond line')")
    found = captured(tmp_path)
    assert found["onnxruntime"] is None
    assert found["trouble"] == {
        "onnxruntime": "ImportError",
        "threadpoolctl": "ModuleNotFoundError: No module named 'no_such_thing'",
        "pynvml": "RuntimeError: out of order",
    }
    assert found["python_version"]


def test_a_message_is_kept_short() -> None:
    def fail() -> None:
        raise OSError("x" * 999)

    assert len(reply("anything", fail).trouble) < 200


def planted(site: Path, name: str, code: str) -> None:
    (site / name).mkdir(parents=True)
    (site / name / "__init__.py").write_text(code)


def captured(site: Path) -> dict[str, Any]:
    """What a bare interpreter captures that has nothing but this package and ``site``."""
    code = (
        "import json, sys; sys.path[:0] = sys.argv[1:];"
        "from seatrial.environment.capture import capture; print(json.dumps(capture()))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(SOURCE), str(site)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found

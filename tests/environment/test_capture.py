"""The captured environment: complete, repeatable, without secrets."""

from __future__ import annotations

import getpass
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.environment import document
from seatrial.environment.capture import capture, fingerprint
from seatrial.environment.machine.variables import VARIABLES

if TYPE_CHECKING:
    import pytest

FIELDS = {
    *("format", "python_version", "implementation", "python_build"),
    *("os", "os_release", "kernel", "libc", "machine", "cpu"),
    *("dependencies", "records", "editable", "hidden", "unnamed"),
    *("libraries", "onnxruntime", "cuda", "variables", "locale", "timezone", "image", "hash"),
}


def test_it_says_what_runs_here() -> None:
    found = json.loads(json.dumps(capture()))
    assert set(found) == FIELDS
    assert found["format"] == "seatrial.environment/1"
    assert found["python_version"] == platform.python_version()
    assert "CPUExecutionProvider" in found["onnxruntime"]["providers"]
    assert set(found["cpu"]) == {"model", "flags", "cores"}
    assert found["libraries"]
    assert found["hash"].startswith("sha256:")


def test_it_repeats_and_time_stays_outside_the_hash() -> None:
    first = capture()
    assert first == capture()
    assert "timestamp" not in first
    later = capture("2026-01-01T00:00:00Z")
    assert later.pop("timestamp") == "2026-01-01T00:00:00Z"
    assert later == first


def test_another_process_captures_the_same() -> None:
    assert captured({}) == captured({})


def test_any_change_changes_the_hash() -> None:
    found = capture()
    for key in set(found) - {"hash"}:
        assert fingerprint({**found, key: "other"}) != found["hash"], key


def test_only_what_is_asked_for_is_verified() -> None:
    found = capture(deep=["click", "seatrial", "no-such-package"])
    assert set(found) == FIELDS | {"altered", "verified"}
    assert found["verified"] == ["click"]
    assert found["altered"] == {}


def test_nothing_secret_is_recorded_and_nothing_that_names_the_machine() -> None:
    private = "very-private-4711"
    names = ("AWS_SECRET_ACCESS_KEY", "SEATRIAL_TOKEN", "SEATRIAL_DATABASE", "PGPASSWORD",
             "OMP_TOKEN", "HTTPS_PROXY", "PIP_INDEX_URL", "OPENBLAS_NUM_THREADS_", "TZDIR",
             "lang", "USER", "HOSTNAME", "SSH_AUTH_SOCK", "VIRTUAL_ENV", "HOME")  # fmt: skip
    assert not set(names) & set(VARIABLES)
    planted = {name: f"/{private}/{name}" for name in names}
    image = f"{private}.example/serving@sha256:{'0' * 64}"
    found = captured({**planted, "SEATRIAL_IMAGE": image, "OMP_NUM_THREADS": "3",
                      "TZ": f":/{private}/zone", "LC_ALL": f"/{private}/locale"})  # fmt: skip
    assert found["variables"]["TZ"] == "a path"
    assert found["variables"]["OMP_NUM_THREADS"] == "3"
    assert found["image"] == f"sha256:{'0' * 64}"
    text = json.dumps(found)
    for place in (private, sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])):
        assert place not in text
    assert not {platform.node(), getpass.getuser(), str(Path.home())} & set(texts(found))


def test_what_variables_hold_is_told_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3\n\x1b[31mred")
    monkeypatch.setenv("LANG", os.fsdecode(b"\xff\xfe"))
    found = capture()
    assert found["variables"]["OMP_NUM_THREADS"] == "3\\n\\x1b[31mred"
    json.dumps(found, ensure_ascii=False).encode()
    assert document.demanded(found, "here") == found


def test_importing_it_loads_no_library() -> None:
    heavy = "{'numpy', 'onnxruntime', 'threadpoolctl', 'lightgbm', 'sklearn', 'onnx', 'scipy'}"
    code = (
        "import sys; from seatrial.environment import document; from seatrial.environment.capture "
        f"import capture; heavy = {heavy}; early = heavy & set(sys.modules); capture();"
        "late = heavy & set(sys.modules) - {'numpy', 'onnxruntime', 'threadpoolctl'};"
        "sys.exit(', '.join(early | late) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def texts(value: object) -> list[str]:
    """Every text in a document, names of fields apart."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for each in inner for text in texts(each)]
    return [value] if isinstance(value, str) else []


def captured(environ: dict[str, str]) -> dict[str, Any]:
    code = (
        "import json; from seatrial.environment.capture import capture;print(json.dumps(capture()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found

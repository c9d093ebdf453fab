"""`seatrial env capture`: what this interpreter answers with, to read or to keep."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from seatrial.environment import document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_says_in_a_few_lines_what_the_machine_is(seatrial: Program, tmp_path: Path) -> None:
    said = seatrial("env", "capture")
    assert said.code == 0
    lines = said.out.splitlines()
    assert 10 <= len(lines) <= 16
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert told["python"].startswith(platform.python_version())
    assert platform.machine() in told["system"]
    assert told["onnxruntime"].startswith(version("onnxruntime"))
    assert "CPUExecutionProvider" in told["onnxruntime"]
    assert int(told["packages"]) > 20
    assert told["editable"] == "seatrial"
    assert told["hash"].startswith("sha256:")
    assert not list(tmp_path.iterdir())  # no project is made by looking


def test_json_is_the_capture(seatrial: Program) -> None:
    told = seatrial("env", "capture", "--json").json
    assert told["format"] == "seatrial.environment/1"
    assert told["dependencies"]["numpy"] == version("numpy")
    assert told["timestamp"].endswith("+00:00")


def test_a_file_is_written_that_can_be_read_again(seatrial: Program, tmp_path: Path) -> None:
    said = seatrial("env", "capture", "-o", "build.json")
    assert said.code == 0
    made = document.read(tmp_path / "build.json")
    assert made["dependencies"]["onnxruntime"] == version("onnxruntime")
    first, second = said.out.splitlines()
    assert first.startswith(f"build.json: Python {platform.python_version()}")
    assert second.strip() == made["hash"]
    assert [file.name for file in tmp_path.iterdir()] == ["build.json"]


def test_a_capture_is_overwritten_and_nothing_else_is(seatrial: Program, tmp_path: Path) -> None:
    assert seatrial("env", "capture", "-o", "here.json").code == 0
    assert seatrial("env", "capture", "-o", "here.json").code == 0
    for content in ("mine", "[1]", '{"format": "seatrial.bundle/1"}', ""):
        (tmp_path / "mine.json").write_text(content)
        said = seatrial("env", "capture", "-o", "mine.json")
        assert said.code == 2
        assert "not overwritten" in said.err
        assert (tmp_path / "mine.json").read_text() == content
    said = seatrial("env", "capture", "-o", ".")
    assert said.code == 2


def test_a_hand_edited_capture_may_be_captured_anew(seatrial: Program, tmp_path: Path) -> None:
    assert seatrial("env", "capture", "-o", "here.json").code == 0
    text = (tmp_path / "here.json").read_text()
    (tmp_path / "here.json").write_text(text.replace(version("numpy"), "9.9.9"))
    assert seatrial("env", "compare", "here.json", "here").code == 2
    assert seatrial("env", "capture", "-o", "here.json").code == 0
    document.read(tmp_path / "here.json")


def test_requirements_lines_take_their_hashes_from_a_lock(
    seatrial: Program, tmp_path: Path
) -> None:
    hashed = f"sha256:{'ab' * 32}"
    (tmp_path / "my.lock").write_text(f"numpy=={version('numpy')} --hash={hashed}\n")
    said = seatrial("env", "capture", "--requirements", "--lock", "my.lock")
    assert said.code == 0
    assert f"--hash={hashed}" in said.out
    lines = said.out.splitlines()
    assert lines[0].startswith("#")
    assert any(line.startswith(f"onnxruntime=={version('onnxruntime')}") for line in lines)
    # and they are what can be compared with
    (tmp_path / "device.txt").write_text(seatrial("env", "capture", "--requirements").out)
    told = seatrial("env", "compare", "device.txt", "here", "--json").json
    assert [each for each in told["differences"] if each["level"] == "error"] == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--lock", "my.lock"], "--requirements"),
        (["--requirements", "--lock", "gone.lock"], "is not there"),
        (["--requirements", "--json"], "not both"),
        (["-o", "/dev/null/here.json"], "cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], sentence: str, seatrial: Program) -> None:
    said = seatrial("env", "capture", *words)
    assert said.code == 2
    assert sentence in said.err
    assert len(said.err.splitlines()) <= 6


@pytest.mark.slow
def test_deep_reads_every_installed_file(seatrial: Program) -> None:
    told = seatrial("env", "capture", "--deep", "--json").json
    assert "numpy" in told["verified"]
    assert "numpy" not in told["altered"]
    assert json.dumps(told)


def test_a_library_that_fails_is_told(
    seatrial: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "threadpoolctl.py").write_text("raise OSError('its build is broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "threadpoolctl", raising=False)
    lines = seatrial("env", "capture").out.splitlines()
    assert "trouble      threadpoolctl: OSError: its build is broken" in lines
    assert "libraries    not known: threadpoolctl is not installed" not in lines

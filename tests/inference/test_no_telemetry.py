"""Nothing calls home: onnxruntime's own telemetry never begins in a process of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

OPENS = {
    "a model": "import seatrial.inference.session",
    "a capture": "from seatrial.environment.capture import capture; capture()",
    "a worker": "import seatrial.gateway.worker",
    "the plugin": "import seatrial.testing.plugin, onnxruntime",
}


def left_behind(code: str, folder: Path, **more: str) -> list[str]:
    """Which files a process leaves in its home and among temporary files."""
    folder.mkdir()
    # little else: where it believes to be tested (CI and the like) it does not begin one either
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    places = {name: str(folder) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    subprocess.run([sys.executable, "-c", code], env={**kept, **places, **more}, check=True)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("what", OPENS)
def test_no_session_is_begun_and_no_device_is_named(what: str, tmp_path: Path) -> None:
    assert left_behind(OPENS[what], tmp_path / "home") == []


def test_the_library_alone_would_begin_one(tmp_path: Path) -> None:
    left = left_behind("import onnxruntime", tmp_path / "home")
    if not left:
        pytest.skip("this onnxruntime has no telemetry of its own")
    assert left_behind("import onnxruntime", tmp_path / "off", ORT_DISABLE_TELEMETRY="1") == []


def test_who_wants_it_may_have_it(tmp_path: Path) -> None:
    code = "import os, seatrial; assert os.environ['ORT_DISABLE_TELEMETRY'] == '0'"
    assert left_behind(code, tmp_path / "home", ORT_DISABLE_TELEMETRY="0") == []

"""The system below the interpreter, also where it does not say what it is."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import TYPE_CHECKING

from seatrial.environment.machine.system import libc, system

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_says_what_runs_here() -> None:
    found = system()
    assert found["os"] == platform.system()
    assert found["machine"] == platform.machine()
    assert platform.node() not in found.values()


def test_the_c_library_is_recognised(tmp_path: Path) -> None:
    assert libc(("glibc", "2.36"), tmp_path) == "glibc 2.36"
    assert libc(("", ""), tmp_path) == ""
    assert libc(("", ""), tmp_path / "none") == ""
    (tmp_path / "ld-musl-x86_64.so.1").touch()
    assert libc(("", ""), tmp_path) == "musl"
    # Its loader may be installed beside the library that is used.
    assert libc(("glibc", "2.36"), tmp_path) == "glibc 2.36"


def test_a_system_without_a_description_has_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise FileNotFoundError

    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert system()["os_release"] == ""


def test_no_program_is_started_to_find_out() -> None:
    code = (
        "import sys; from seatrial.environment.capture import capture;"
        "sys.addaudithook(lambda event, _: event.startswith(('subprocess.', 'os.exec',"
        " 'os.fork', 'os.posix_spawn', 'os.system')) and sys.exit(event)); capture(deep=['click'])"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

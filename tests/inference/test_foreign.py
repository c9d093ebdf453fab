"""A program of the user's ends with whoever has started it, at whatever moment that is."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from interrupted import InterruptedThread
from seatrial.inference.foreign import Limits, environment, run


def test_who_stops_it_as_the_program_begins_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatrial.inference.foreign.threading.Thread", InterruptedThread)
    program = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path)]
    limits = Limits(timeout_s=60)
    with pytest.raises(KeyboardInterrupt):
        run(program, limits, folder=tmp_path, environment=environment(), scratch=tmp_path)
    ends = time.monotonic() + 30
    while _of(tmp_path) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _of(tmp_path)


def _of(word: Path) -> list[str]:
    """The processes whose command line has a word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended meanwhile
        if str(word).encode() in words:
            found.append(entry.name)
    return found

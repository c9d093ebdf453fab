"""A child that measures may die, hang or shout: the answer says how, and nothing of it is left."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from seatrial.evaluation.speed.asking import MemoryReply, Opened
from seatrial.evaluation.speed.child import Died, asked

QUESTION = Opened("m", 1, "sha256:0")
BEGINS = "import os, sys, signal, subprocess, time, pathlib\nfolder = pathlib.Path(sys.argv[1])\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module that children can be started as: ``played``."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "played.py"


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL: was there memory for it?"),
        ("os.abort()", "SIGABRT"),
        ("print('first'); sys.exit('no room here')", "its process ended with 1: no room here"),
        ("pass", "its process ended with 0"),
        ("time.sleep(60)", "it did not end within 1 s"),
    ],
)
def test_no_answer_is_told(module: Path, does: str, told: str) -> None:
    module.write_text(BEGINS + does)
    with asked("played", QUESTION, timeout_s=1 if "sleep" in does else 30) as child:
        reply = child.reply(MemoryReply)
    assert isinstance(reply, Died)
    assert told in reply.how


def test_what_it_prints_is_not_what_it_says(module: Path) -> None:
    module.write_text(
        BEGINS + "import msgspec\nprint('x' * 1_000_000)\n"
        "(folder / 'reply.msgpack').write_bytes(msgspec.msgpack.encode({'memory': 7}))\n"
    )
    with asked("played", QUESTION, timeout_s=30) as child:
        assert child.reply(MemoryReply) == MemoryReply(memory=7)
        folder = child.folder
    assert not folder.exists()


def test_what_it_started_does_not_outlive_it(module: Path, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    module.write_text(
        BEGINS + "child = subprocess.Popen(['sleep', '600'])\n"
        f"pathlib.Path({str(told)!r}).write_text(str(child.pid))\ntime.sleep(600)\n"
    )
    with asked("played", QUESTION, timeout_s=600):
        while not told.exists() or not told.read_text():
            time.sleep(0.01)
    while lives(int(told.read_text())):  # a signal takes its time
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether it runs: whoever adopts the dead may not have buried it yet."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status


def test_a_file_of_the_users_does_not_stand_in_for_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit('this is not numpy')")
    monkeypatch.chdir(tmp_path)
    with asked("seatrial.evaluation.speed.memory", QUESTION, timeout_s=60) as child:
        reply = child.reply(MemoryReply)
    assert isinstance(reply, Died)  # the question was none
    assert "not numpy" not in reply.how

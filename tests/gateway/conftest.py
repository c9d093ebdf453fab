"""Other processes, and what may come between any two steps of one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, ModuleType

PLAYERS = Path(__file__).with_name("players.py")


class DeadError(BaseException):
    """Stands for SIGKILL: nobody catches it, nothing is tidied up."""


@pytest.fixture(scope="session")
def players() -> ModuleType:
    """The file that the other processes run, for what it writes and how it checks it."""
    spec = importlib.util.spec_from_file_location("gateway_players", PLAYERS)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def play() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``players.py ROLE FD …``; whatever still plays when the test ends is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(role: str, fd: int, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(PLAYERS), role, str(fd), *map(str, arguments)]
        player = subprocess.Popen(command, pass_fds=[fd], stdout=subprocess.PIPE, text=True)
        started.append(player)
        return player

    yield start
    for player in started:
        player.kill()
        player.communicate()


@pytest.fixture(scope="session")
def at_step() -> Callable[..., bool]:
    """``at_step(step, call, act)``: do ``call``, but ``act`` in front of its step ``step``.

    Tells whether it came to that. A step is one instruction of Python in ``seatrial.gateway``, and
    each look at shared memory and each store to it is one: going through all steps goes through
    all that another process can do in between.
    """

    def attempt(step: int, call: Callable[[], object], act: Callable[[], object]) -> bool:
        left = step

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal left
            if not frame.f_globals.get("__name__", "").startswith("seatrial.gateway."):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                left -= 1
                if left == -1:
                    act()
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)
        return left < 0

    return attempt


@pytest.fixture(scope="session")
def dies(at_step: Callable[..., bool]) -> Callable[..., bool]:
    """``dies(step, call)``: do it, but die in front of step ``step``; whether it came to that."""

    def die() -> None:
        raise DeadError

    def attempt(step: int, call: Callable[[], object]) -> bool:
        try:
            at_step(step, call, die)
        except DeadError:
            return True
        return False

    return attempt

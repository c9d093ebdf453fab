"""A process of its own in which a model is made: where it works, what it finds, where it stands."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from seatrial.inference import foreign

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.inference.foreign import Ended

_LOOK_S = 0.02
_STACK_S = 1.0
"""So long a process that is out of time may take to write down where it stands."""


def run(module: str, scratch: Path, stack: Path, timeout_s: float) -> Ended:
    """Run ``python -m MODULE SCRATCH``; nothing that it started outlives it.

    It works in ``scratch/work`` and leaves no compiled files. ``stack`` is where it writes its
    traceback when it is sent SIGUSR1, as it is when its time is over.
    """
    (scratch / "work").mkdir()
    (scratch / "tmp").mkdir()
    return foreign.run(
        [sys.executable, "-P", "-B", "-m", module, str(scratch)],
        foreign.Limits(timeout_s),
        folder=scratch / "work",
        environment=_environment(scratch),
        scratch=scratch,
        when_late=lambda pid: _ask_for_stack(pid, stack),
    )


def _environment(scratch: Path) -> dict[str, str]:
    """Ours, with repeatable sets of strings, and a place of its own for temporary files.

    OpenMP's threads wait without spinning: on a busy machine a training took 5 to 8 times as long
    while they did.
    """
    usual = {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "PASSIVE"}
    fixed = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch / "tmp"),
    }
    return {**usual, **foreign.environment(), **fixed}


def _ask_for_stack(pid: int, stack: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGUSR1)
    until_s = time.monotonic() + _STACK_S
    while time.monotonic() < until_s and not foreign.ends(pid, _LOOK_S):
        if stack.exists() and stack.stat().st_size:
            foreign.ends(pid, _LOOK_S)  # the rest of what it writes
            return

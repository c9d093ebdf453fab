"""A process of its own for code that is not ours: within limits, and nothing of it outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TAIL_BYTES = 4096
"""So much of the end of what it printed is kept; a program that prints gigabytes costs no more."""

_LOOK_S = 0.02
_STACK_S = 1.0
"""So long a process that is out of time may take to write down where it stands."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. ``code`` is None when its time was over, negative for a signal."""

    code: int | None
    tail: str

    @property
    def last_line(self) -> str:
        """The last line that it printed."""
        lines = [line.strip() for line in self.tail.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def run(module: str, scratch: Path, stack: Path, timeout_s: float) -> Ended:
    """Run ``python -m MODULE SCRATCH FD``; what it prints is read away, its tail kept.

    It works in ``scratch/work`` and leaves no compiled files. ``stack`` is where it writes its
    traceback when it is sent SIGUSR1, as it is when its time is over. ``FD`` is open for reading
    as long as this process lives. In the end its whole process group is ended.
    """
    (scratch / "work").mkdir()
    (scratch / "tmp").mkdir()
    ours_to_read, ours_to_hold = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-B", "-m", module, str(scratch), str(ours_to_read)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(ours_to_read,),
            cwd=scratch / "work",
            env=_environment(scratch),
            start_new_session=True,
        )
    except BaseException:
        os.close(ours_to_hold)
        raise
    finally:
        os.close(ours_to_read)
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    in_time = False
    try:
        in_time = _ends(process.pid, timeout_s)
        if not in_time:
            _ask_for_stack(process.pid, stack)
    finally:
        # before it is waited for, so that its number cannot mean another process yet
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        os.close(ours_to_hold)
        said = tail.end()
        process.stdout.close()
    return Ended(code if in_time else None, said)


def _environment(scratch: Path) -> dict[str, str]:
    """Ours, with repeatable sets of strings, and a place of its own for temporary files.

    Not with our settings: a password of the ledger's database may stand in them. OpenMP's threads
    wait without spinning: on a busy machine a training took 5 to 8 times as long while they did.
    """
    usual = {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "PASSIVE"}
    own = {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL_")}
    fixed = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch / "tmp"),
    }
    return {**usual, **own, **fixed}


def _ends(pid: int, within_s: float) -> bool:
    """Whether it ends in time. It stays unburied, so that its number stays its own."""
    until_s, pause = time.monotonic() + within_s, threading.Event()
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= until_s:
            return False
        pause.wait(_LOOK_S)
    return True


def _ask_for_stack(pid: int, stack: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGUSR1)
    until_s = time.monotonic() + _STACK_S
    while time.monotonic() < until_s and not _ends(pid, _LOOK_S):
        if stack.exists() and stack.stat().st_size:
            _ends(pid, _LOOK_S)  # the rest of what it writes
            return


class _Tail:
    """Reads a stream to its end in a thread of its own, and remembers its last bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = b""
        self._thread = threading.Thread(target=self._read, name="output of training", daemon=True)
        self._thread.start()

    def end(self) -> str:
        """What came last. A process that left the group may hold the stream: no long wait."""
        self._thread.join(timeout=1.0)
        return self._kept.decode("utf-8", "replace")

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            while chunk := os.read(self._stream.fileno(), 1 << 16):
                self._kept = (self._kept + chunk)[-TAIL_BYTES:]

"""Run a program that is not ours: within limits, and nothing that it started outlives it."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from seatrial.inference import launcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LAUNCHER = Path(launcher.__file__)
GRACE_S = 10.0
"""How long ending all that the program started may take."""

HEAD_BYTES, TAIL_BYTES = 4_000, 16_000
"""So much of the beginning and the end of what it prints is kept; the gigabytes between are not."""

_LOOK_S = 0.02
_LAST_WORDS_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Within which a program runs; ``confined`` needs ``launcher.landlock_version() > 0``."""

    timeout_s: float = math.inf
    memory_mb: int | None = None
    confined: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its status (negative: a signal; None: time was up), and what it said.

    A status of ``launcher.CANNOT_START`` may mean that it was never started.
    """

    status: int | None
    said: str

    @property
    def last_line(self) -> str:
        """The last line that it printed."""
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        return lines[-1] if lines else ""


def run(
    program: Sequence[str],
    limits: Limits,
    *,
    folder: Path,
    environment: Mapping[str, str],
    scratch: Path,
    when_late: Callable[[int], None] | None = None,
    shown: IO[str] | None = None,
) -> Ended:
    """Run a program in ``folder``, and wait until it has ended and all that it started.

    A confined one writes beneath the folder ``scratch`` only; that is removed should this process
    die before. ``when_late`` is called with the number of a process that hands SIGUSR1 on to it,
    before it is ended for being late. What it prints is read as it comes, and the most of it
    forgotten; it goes to the file ``shown`` instead where there is one.
    """
    words = [os.getpid(), scratch, int(limits.confined), limits.memory_mb or 0]
    with subprocess.Popen(  # noqa: S603 - on purpose
        [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, words), *program],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if shown is None else shown,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as started:
        output, in_time = None, False
        try:
            output = None if started.stdout is None else _Output(started.stdout)
            in_time = ends(started.pid, limits.timeout_s)
            if not in_time and when_late is not None:
                when_late(started.pid)
        finally:
            _end(started.pid)
            status = started.wait()
            said = "" if output is None else output.said()
    return Ended(status if in_time else None, said)


def environment() -> dict[str, str]:
    """Ours, but for our settings: a password of the ledger's database may stand in them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SEATRIAL_")}


def ends(pid: int, within_s: float) -> bool:
    """Whether a child ends in time. It stays unburied, so that its number stays its own."""
    until_s, pause = time.monotonic() + within_s, threading.Event()
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= until_s:
            return False
        pause.wait(_LOOK_S)
    return True


def _end(launched: int) -> None:
    """Let the launcher end all that the program started, then whatever is left of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(launched, signal.SIGTERM)
        ends(launched, GRACE_S)
        os.killpg(launched, signal.SIGKILL)


class _Output:
    """Reads a pipe to its end, and keeps how it began and how it ends."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._head, self._tail = b"", b""
        self._reader = threading.Thread(target=self._read, name="foreign output", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            while part := os.read(self._pipe.fileno(), 1 << 16):
                room = HEAD_BYTES - len(self._head)
                self._head += part[:room]
                self._tail = (self._tail + part[room:])[-TAIL_BYTES:]

    def said(self) -> str:
        # who hid from the launcher may hold the pipe: no long wait
        self._reader.join(_LAST_WORDS_S)
        return (self._head + self._tail).decode(errors="replace")

"""A process that must run: started again when it dies, ever later while it keeps dying."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.gateway import parent

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
HEALTHY_S = 30.0
"""A child that lived this long is started again as soon as one that never died."""


@dataclass(slots=True)
class Child:
    """``python -m MODULE ARGUMENTS``, with open files that it inherits."""

    name: str
    module: str
    arguments: tuple[str, ...]
    files: tuple[int, ...]
    log: Callable[..., None]
    process: subprocess.Popen[bytes] | None = None
    _pause_s: float = FIRST_PAUSE_S
    _started_s: float = field(default=0.0)
    _due_s: float = field(default=0.0)

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self.process.pid if self.process else None

    def tend(self, now_s: float) -> None:
        """Bury it when it has died, start it when that is due; ``now_s`` is monotonic time."""
        if self.process is not None and (code := self.process.poll()) is not None:
            if now_s - self._started_s >= HEALTHY_S:
                self._pause_s = FIRST_PAUSE_S
            self.log("died", child=self.name, code=code, again_in_s=self._pause_s)
            self.process = None
            self._due_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        if self.process is None and now_s >= self._due_s:
            self._start(now_s)

    def _start(self, now_s: float) -> None:
        # A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which then
        # lets everybody finish.
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", self.module, *self.arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=self.files,
                process_group=0,
                env={**os.environ, parent.VARIABLE: str(os.getpid())},
            )
        except OSError as error:  # no memory or no process to be had: later, perhaps
            self.log("not started", child=self.name, error=error.strerror)
            self._due_s = now_s + LONGEST_PAUSE_S
            return
        self._started_s = now_s
        self.log("started", child=self.name, child_pid=self.process.pid)

    def end(self) -> None:
        """Ask it to finish."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    def gone(self, within_s: float) -> bool:
        """Wait for its end."""
        if self.process is None:
            return True
        try:
            self.process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

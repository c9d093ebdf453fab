"""Starts a process that judges the traffic of full hours, when some are due."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.traffic.span import begin_of_hour
from seatrial.watch.due_hours import SETTLES, due

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from seatrial.registry.project import Project

FIRST_S = 60.0
"""A gateway that has just started has other things to do."""

LOOK_S = 60.0
"""How often it is looked whether an hour is due."""

AGAIN_S = 600.0
"""When it is tried again after something was in the way."""

END_S = 0.5


@dataclass(slots=True)
class Hours:
    """One process at a time; it does all that is due, and ends."""

    project: Project
    log: Callable[..., None]
    monotonic: Callable[[], float] = time.monotonic
    _due_s: float = field(init=False)
    _process: subprocess.Popen[bytes] | None = None
    _done: datetime | None = None
    """The hour until whose begin everything is judged: the log is not looked at before its end."""

    def __post_init__(self) -> None:
        """Not at once."""
        self._due_s = self.monotonic() + FIRST_S

    @property
    def busy(self) -> bool:
        """Whether a process is at work, or has ended and was not looked at yet."""
        return self._process is not None

    def tend(self) -> None:
        """Bury the process that has ended; start one when something is due."""
        now_s = self.monotonic()
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._process = None
            if code:
                self._due_s = now_s + AGAIN_S
                self.log("hours_in_trouble", code=code, again_in_s=AGAIN_S)
        if now_s < self._due_s:
            return
        self._due_s = now_s + LOOK_S
        hour = begin_of_hour(self.project.machine_clock() - SETTLES)
        if hour == self._done:
            return
        try:
            if due(self.project):
                self._start()
            else:
                self._done = hour
        except SeatrialError as error:
            self.log("ledger_unusable", error=str(error))
        except OSError as error:  # no memory or no process to be had: later, perhaps
            self.log("not_started", child="hourly", error=error.strerror)

    def end(self) -> None:
        """Ask the process to end; what it has not written is judged the next time."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:  # it gets no processor time even to die: it will
            self.log("job_left", job_pid=self._process.pid)

    def _start(self) -> None:
        folder = str(self.project.workspace.folder)
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "seatrial.serve.hourly", "--folder", folder],
            stdin=subprocess.DEVNULL,
            env={**os.environ, parent.VARIABLE: str(os.getpid())},
        )

"""What a tree of processes costs: processor time, its dead counted too, and memory."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of /proc: ``dead_s`` is what its children that ended have used."""

    pid: int
    parent: int
    session: int
    cpu_s: float
    dead_s: float
    command: str


def of(root: int) -> list[Process]:
    """The process, all below it, and all of its session whose parents have died."""
    everybody = [found for each in _PROC.iterdir() if each.name.isdigit() if (found := _read(each))]
    below = {root}
    while more := {p.pid for p in everybody if p.parent in below} - below:
        below |= more
    return [p for p in everybody if p.pid in below or p.session == root]


def cpu_s(processes: list[Process]) -> float:
    """Processor seconds so far, of the living and of the dead."""
    return sum(each.cpu_s + each.dead_s for each in processes)


def running(processes: list[Process], module: str) -> list[Process]:
    """Those started as ``python -m module``."""
    return [each for each in processes if module in each.command.split("\0")]


def pss_mb(process: Process) -> float:
    """Memory of its own, and its part of what it shares."""
    for line in (_PROC / str(process.pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def halt(processes: list[Process]) -> None:
    """Let them use nothing until :func:`proceed`."""
    _tell(processes, signal.SIGSTOP)


def proceed(processes: list[Process]) -> None:
    """Let them go on."""
    _tell(processes, signal.SIGCONT)


def _tell(processes: list[Process], number: signal.Signals) -> None:
    for each in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, number)


def _read(folder: Path) -> Process | None:
    try:
        stat = (folder / "stat").read_text()
        command = (folder / "cmdline").read_text()
    except OSError:  # it ended just now
        return None
    fields = stat.rpartition(")")[2].split()
    dead_s = (int(fields[13]) + int(fields[14])) * _TICK_S
    pid, parent, session = int(folder.name), int(fields[1]), int(fields[3])
    return Process(pid, parent, session, _clock_s(pid), dead_s, command)


def _clock_s(pid: int) -> float:
    # The kernel's clock of another process: nanoseconds, where /proc has hundredths of a second.
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0  # it ended just now: its parent has it

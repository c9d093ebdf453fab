"""How a process stands back for others: last in line for the processor, first to go for memory.

Nothing here needs rights beyond an ordinary user's. What a kernel or a container refuses is left
out and told: the candidate is then less isolated, not absent.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

MEMORY_MB = 2048
"""What a process may take beyond what it used when it was limited."""

LOWEST_NICE = 19
GOES_FIRST = 1000
_MB = 1 << 20
_OWN = Path("/proc/self")


def step_back() -> dict[str, object]:
    """Run only while nobody else wants the processor, and be ended first when memory is short.

    Returns what was achieved: ``{"idle": bool, "nice": int, "first_to_go": bool}``. To be called
    before anything heavy, so that not even loading libraries takes time from others.
    """
    return {"idle": _idle(), "nice": _nice(), "first_to_go": _first_to_go()}


def limit_memory(memory_mb: int = MEMORY_MB) -> dict[str, object]:
    """Let this process take so much more address space than it has now; no core files.

    An allocation beyond it raises MemoryError. Returns ``{"memory_mb": int | None}``.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = _address_space() + memory_mb * _MB
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError):
        return {"memory_mb": None}
    return {"memory_mb": memory_mb}


def peak_mb() -> float:
    """The most memory that this process ever held, in MB."""
    for line in _read("status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    # also counts what the process that started this one held
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _idle() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        return False
    return True


def _nice() -> int:
    try:
        return os.nice(LOWEST_NICE)
    except OSError:
        return os.nice(0)


def _first_to_go() -> bool:
    try:
        (_OWN / "oom_score_adj").write_text(str(GOES_FIRST))
    except OSError:
        return False
    return True


def _address_space() -> int:
    pages = _read("statm").split()
    return int(pages[0]) * resource.getpagesize() if pages else 0


def _read(name: str) -> str:
    try:
        return (_OWN / name).read_text()
    except OSError:
        return ""

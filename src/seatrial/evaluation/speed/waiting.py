"""How long this process wanted a processor that others had: the kernel counts it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_OWN = Path("/proc/thread-self/schedstat")
_TASKS = Path("/proc/self/task")
_FIELDS = 3


class Waiting:
    """Reads the run-queue delay of this thread and of the processes that it started.

    The second number of ``schedstat`` is the time in nanoseconds that a task was ready to run and
    did not (linux, Documentation/scheduler/sched-stats.rst). A version that answers from a
    process of its own waits there as well; it counts from the next :meth:`follow` on.
    """

    def __init__(self) -> None:
        self._files: list[int] = []
        self.known = False
        self.follow()

    def follow(self) -> None:
        """Look which processes there are."""
        self.close()
        places = [_OWN, *(Path(f"/proc/{child}/schedstat") for child in children())]
        for place in places:
            with suppress(OSError):
                self._files.append(os.open(place, os.O_RDONLY))
        self.known = bool(self._files) and _tells(self._files[0])

    def total_ns(self) -> int:
        """All of it so far."""
        total = 0
        for file in self._files:
            with suppress(OSError, IndexError):  # that process is gone, and waits no more
                total += int(os.pread(file, 64, 0).split()[1])
        return total

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            os.close(file)
        self._files = []


def own_ns(wall_ns: int, waited_ns: int) -> int:
    """The time without what others had the processor for, within ``wall_ns``.

    Waiting is read just before and just after the clock: more waiting than time means that the
    processor was lost there, and not in between.

    >>> own_ns(100, 30), own_ns(100, 3000)
    (70, 100)
    """
    return wall_ns - waited_ns if 0 <= waited_ns <= wall_ns else wall_ns


def children() -> list[int]:
    """The processes that this one started and that live."""
    found: list[int] = []
    for task in _TASKS.glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def _tells(file: int) -> bool:
    """Whether the kernel keeps count: where it does not, the file is empty or all zero."""
    with suppress(OSError):
        fields = os.pread(file, 64, 0).split()
        return len(fields) == _FIELDS and int(fields[0]) > 0
    return False

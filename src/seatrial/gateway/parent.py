"""Whether the supervisor still lives: its processes end when it is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

VARIABLE = "SEATRIAL_PARENT"
"""Where the supervisor puts its pid: it may be gone before a process that it started can look."""


def watch() -> Callable[[], bool]:
    """A function that tells whether this process's parent still is who started it.

    >>> watch()()
    True
    """
    parent = int(os.environ.get(VARIABLE, os.getppid()))
    return lambda: os.getppid() == parent

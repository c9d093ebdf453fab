"""Who compares labels? One watcher of a project at a time; another follows when it dies."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class Gate:
    """A kernel lock: the kernel gives it back when its process dies, however it dies.

    >>> import tempfile, pathlib
    >>> home = pathlib.Path(tempfile.mkdtemp())
    >>> first, second = Gate(), Gate()
    >>> first.enter(home), second.enter(home)
    (True, False)
    >>> first.leave()
    >>> second.enter(home)
    True
    >>> second.leave()
    """

    _handle: int | None = None

    @property
    def inside(self) -> bool:
        """Whether this one has it."""
        return self._handle is not None

    def enter(self, home: Path) -> bool:
        """Try to get it; whether it is had."""
        if self._handle is not None:
            return True
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(home / "watcher.lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def leave(self) -> None:
        """Give it back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

"""A folder on disk for what does not fit in memory, gone when nobody needs it any more.

It is removed when its owner is forgotten, and when the program ends. A program that was killed
leaves its folder behind; the next one that needs a folder removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import weakref
from functools import cache
from pathlib import Path

_NAME = "seatrial-scratch-"
_LOCK = "in-use"


class Scratch:
    """A folder of this process alone; ``path`` is where."""

    def __init__(self) -> None:
        _sweep(tempfile.gettempdir())
        made = Path(tempfile.mkdtemp(prefix=".seatrial-new-"))
        held = os.open(made / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
        # Under its name only once it is locked: a sweep never meets it half made.
        self.path = made.rename(made.with_name(made.name.replace(".seatrial-new-", _NAME)))
        self.remove = weakref.finalize(self, _remove, self.path, held, os.getpid())


def _remove(path: Path, held: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked child inherits what it does not own
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)


@cache
def _sweep(folder: str) -> None:
    """Remove, once for this process, what killed programs left behind."""
    for path in Path(folder).glob(f"{_NAME}*"):
        # Another user's, or another sweep was first: not ours to remove.
        with contextlib.suppress(OSError), (path / _LOCK).open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)

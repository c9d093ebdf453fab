"""One step at a time on one machine: a kernel lock, freed at once when its owner dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextlib.contextmanager
def step_lock(file: Path, note: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the project's lock; ``note`` tells those who wait for whom they wait."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 500, 0).decode(errors="replace").strip()
            say(f"waiting for {owner or 'another process'}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{note} (pid {os.getpid()})\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def idle(file: Path) -> Iterator[None]:
    """Hold the project's lock while no step is performed; PassingError says which one is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 500, 0).decode(errors="replace").strip()
        os.close(handle)
        what = f"a step is performed: {owner}"
        raise PassingError(Mistake(what, fix="wait for its end, then try again")) from None
    try:
        yield
    finally:
        os.close(handle)

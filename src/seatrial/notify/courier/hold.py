"""Is another courier at work for this project? A kernel lock, freed at once when its owner dies."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "courier"


def hold(home: Path) -> int | None:
    """A file descriptor that holds the lock until it is closed; ``None``: another holds it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(home / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        where = str(home / FILE)
        raise StoreError(Mistake(f"cannot be written: {error.strerror}", where)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle

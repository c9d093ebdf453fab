"""How long is traffic kept? By age and by size, a model at a time; the oldest files go first."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from seatrial.traffic import files

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_GB = 10**9


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept of a model: so many days, and at most so many gigabytes (10^9 bytes)."""

    days: float = 30.0
    gb: float = 5.0


def retain(model: Path, keep: Keep, now: datetime) -> int:
    """Remove what is beyond ``keep`` from a model's folder; the number of files removed.

    Predictions and labels together: the oldest hour goes first, whichever version it is of, for
    labels older than every prediction belong to none. Streams count, but are not removed.
    Another writer may do the same at the same time.
    """
    folders = [folder for folder in model.glob("*/") if folder.is_dir()]
    found = [(path, _bytes(path)) for folder in folders for path in files.listed(folder)]
    total = sum(size for _, size in found)
    whole = [(path, size) for path, size in found if path.suffix == files.PARQUET]
    removed = 0
    for path, size in sorted(whole, key=lambda each: (files.hour_of(each[0]), each[0].name)):
        old = now - files.hour_of(path) >= timedelta(days=keep.days, hours=1)
        if not old and total <= keep.gb * _GB:
            break
        path.unlink(missing_ok=True)
        total -= size
        removed += 1
    for folder in folders if removed else ():
        with contextlib.suppress(OSError):  # not empty
            folder.rmdir()
    return removed


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

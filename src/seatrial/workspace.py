"""Where things live, what time it is, and how things are called."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = ".seatrial"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def new_id(at: datetime | None = None) -> str:
    """A ULID: 26 characters that sort by time (48 bits of milliseconds, 80 random bits).

    >>> len(new_id())
    26
    """
    milliseconds = int((at or now()).timestamp() * 1000)
    number = (milliseconds << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


@dataclass(frozen=True, slots=True)
class Workspace:
    """A project folder and the home of its state; clock and ids are passed in for tests."""

    folder: Path
    home: Path
    clock: Callable[[], datetime] = field(default=now)
    ids: Callable[[], str] = field(default=new_id)

    @property
    def ledger(self) -> Path:
        """The SQLite file of the ledger."""
        return self.home / "ledger.db"

    @property
    def blobs(self) -> Path:
        """The folder of content-addressed blobs."""
        return self.home / "blobs"

    @property
    def traffic(self) -> Path:
        """The folder of what production was asked and answered, and of the labels."""
        return self.home / "traffic"

    @property
    def lock(self) -> Path:
        """The file whose kernel lock is held by the process that performs a step."""
        return self.home / "lock"


def of_file(file: Path) -> Workspace:
    """The workspace of the folder that holds a pipeline file."""
    return at(file.absolute().parent)


def nearest_to(start: Path) -> Workspace:
    """The workspace of the nearest parent folder with a ``.seatrial``, else of ``start``."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / HOME).is_dir():
            return at(folder)
    return at(start)


def at(folder: Path) -> Workspace:
    """The workspace of a folder; ``SEATRIAL_HOME`` moves its state."""
    moved = os.environ.get("SEATRIAL_HOME")
    return Workspace(folder, Path(moved).absolute() if moved else folder / HOME)

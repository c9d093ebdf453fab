"""Where things live, what time it is, and how things are called."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = ".seatrial"
MOVED = "SEATRIAL_HOME"
DATABASE = "SEATRIAL_DATABASE"
BLOBS = "SEATRIAL_BLOBS"
"""What moves the home, and what replaces a part of it when one machine is not enough: a database,
an object store."""

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
    """A project folder and the home of its state; clock and ids are passed in for tests.

    ``database`` is the address of the ledger where it is not a file of the home, ``blob_store``
    that of the blobs; several machines share what is kept there.
    """

    folder: Path
    home: Path
    clock: Callable[[], datetime] = field(default=now)
    ids: Callable[[], str] = field(default=new_id)
    database: str | None = None
    blob_store: str | None = None

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
    """The workspace of a folder; ``SEATRIAL_HOME`` moves its state, others replace parts of it."""
    moved = os.environ.get(MOVED)
    return Workspace(
        folder,
        Path(moved).absolute() if moved else folder / HOME,
        database=os.environ.get(DATABASE) or None,
        blob_store=os.environ.get(BLOBS) or None,
    )


def machine(home: Path) -> str:
    """Who shares this home's kernel locks: a name, and what tells it from copies of this home.

    Two containers of one image have the same machine id and may have the same name, but not the
    same lock file; what is locked in one is free in the other. So they are two machines. The name
    is the host's when the home was made: a container has another one whenever it is started.
    """
    mark = home / "machine"
    if not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        aside = mark.with_name(f"machine.{new_id()}")
        aside.write_text(f"{platform.node()} {new_id()}")
        with contextlib.suppress(FileExistsError):
            os.link(aside, mark)  # the first one counts
        aside.unlink()
    system = Path("/etc/machine-id")
    told = system.read_text().strip() if system.is_file() else ""
    name, _, own = mark.read_text().partition(" ")
    known = f"{told} {own} {mark.stat().st_ino}"
    return f"{name}-{hashlib.sha256(known.encode()).hexdigest()[:8]}"

"""Was what lay in this home moved elsewhere, and is it there that we look?

The old files stay. Whoever went on with them unknowingly would write a second history beside the
one that counts, so a home from which something was moved says so, and is opened no other way.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec

from seatrial.errors import Mistake, StoreError, UsageError
from seatrial.workspace import BLOBS, DATABASE, new_id

if TYPE_CHECKING:
    from pathlib import Path

FILE = "moved.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where it lies now, by addresses without a password; ``None``: it is still in the home.

    ``first`` is the hash of the ledger's first event: by it that ledger is known.
    """

    database: str | None = None
    first: str | None = None
    blobs: str | None = None


def moved(home: Path) -> Moved:
    """What was moved from this home; :class:`StoreError` when its note cannot be read."""
    file = home / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=Moved)
    except FileNotFoundError:
        return Moved()
    except (OSError, ValueError, msgspec.DecodeError) as error:
        what = f"where the ledger and the blobs of this project are cannot be read: {error}"
        fix = "restore the file from a backup, or run `seatrial migrate` again"
        raise StoreError(Mistake(what, where=str(file), fix=fix)) from error


def note(home: Path, said: Moved) -> None:
    """Say what was moved from this home: all of it at once, and for good."""
    file = home / FILE
    aside = file.with_name(f"{FILE}.{new_id()}")
    try:
        with aside.open("w", encoding="utf-8") as opened:
            opened.write(json.dumps(asdict(said), indent=2) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        aside.rename(file)
        folder = os.open(home, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        what = f"cannot note what was moved: {error.strerror}"
        raise StoreError(Mistake(what, where=str(file))) from error


def demand_here(home: Path, database: str | None, blobs: str | None) -> None:
    """Refuse what was moved away and is asked for in the home: UsageError says where it is.

    ``database`` and ``blobs`` are the addresses that are asked for; ``None`` means the home.
    """
    said, mistakes = moved(home), []
    if said.database is not None and database is None:
        mistakes.append(_elsewhere(home, "ledger", said.database, DATABASE))
    if said.blobs is not None and blobs is None:
        mistakes.append(_elsewhere(home, "blobs", said.blobs, BLOBS))
    if mistakes:
        raise UsageError(*mistakes)


def export(variable: str, address: str) -> str:
    """The line for a shell; the password stands there by its name.

    >>> export("SEATRIAL_DATABASE", "postgresql://ann:***@db/fleet?service=a")
    "export SEATRIAL_DATABASE='postgresql://ann:PASSWORD@db/fleet?service=a'"
    """
    return f"export {variable}={shlex.quote(address.replace(':***@', ':PASSWORD@'))}"


def _elsewhere(home: Path, what: str, there: str, variable: str) -> Mistake:
    return Mistake(
        f"the {what} of this project moved to {there}",
        where=str(home / FILE),
        fix=export(variable, there),
    )

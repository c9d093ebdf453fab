"""Which log do counts belong to? Each has a name of its own, wherever it is moved to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = ".place"


def place_of(traffic: Path, ids: Callable[[], str]) -> str:
    """The name of a traffic log, given when it is first asked for; for one process at a time.

    The name of the machine would not do: a container has another one whenever it is started, and
    what was counted under the old one would be counted again. PassingError when the disk refuses.

    >>> import tempfile, pathlib
    >>> traffic = pathlib.Path(tempfile.mkdtemp())
    >>> place_of(traffic, lambda: "01J"), place_of(traffic, lambda: "01K")
    ('01J', '01J')
    """
    file = traffic / FILE
    try:
        if not file.exists():
            _write(file, ids())
        return file.read_text()
    except OSError as error:
        raise PassingError(
            Mistake(f"the traffic log has no name: {error.strerror}", where=str(file))
        ) from error


def _write(file: Path, name: str) -> None:
    """Whole and for good, or not at all: what is counted under it stands in the ledger for good."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{FILE}.part")
    with aside.open("w") as opened:
        opened.write(name)
        opened.flush()
        os.fsync(opened.fileno())
    aside.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""What a run hands to the project's own tests, which run as a process of their own.

One file, named by one variable of the environment. The tests can read everything and write next
to nothing, so that even a look into the ledger, which needs a lock, is done for them beforehand.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

VARIABLE = "SEATRIAL_HANDED"
"""Holds the path of the file."""


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A registered version; ``digest`` is that of its manifest."""

    model: str
    version: int
    digest: str

    def __str__(self) -> str:
        return f"{self.model} version {self.version}"


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the project's data are, the pipeline as this run has it, and whom the tests are about.

    ``record`` is written test by test, as JUnit; ``running`` says what runs at the moment.
    ``writable`` is given where the kernel does not keep the tests inside it: Python shall.
    """

    folder: str
    file: str
    text: str
    changes: tuple[str, ...]
    blobs: str
    candidate: Numbered | None
    production: Numbered | None
    record: str
    running: str
    writable: str | None = None


def hand_over(handed: Handed, file: Path) -> dict[str, str]:
    """Write what is handed; the variables that a process needs to find it."""
    file.write_bytes(msgspec.json.encode(handed))
    return {VARIABLE: str(file)}


def handed_over() -> Handed | None:
    """What a run handed to this process; None where none did.

    >>> handed_over() is None
    True
    """
    file = os.environ.get(VARIABLE)
    return msgspec.json.decode(Path(file).read_bytes(), type=Handed) if file else None

"""A copy of a project's code, for tests that may write where they stand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE_BYTES = 1_000_000
"""A larger file is no code: the copy holds a link to it."""

ENOUGH_BYTES = 100_000_000
"""When so much has been copied, links do for the rest."""

MANY = 1000
"""A folder with more files than this holds no code either: it is one link."""

_LEFT_OUT = {"__pycache__", "node_modules"}


def copy_code(folder: Path, copy: Path, home: Path) -> None:
    """Copy a project folder to ``copy``, which must not exist yet.

    Left out: ``home`` (the state of seatrial), hidden folders, virtual environments and caches.
    What is large is not copied but linked, so that it is found where it was: whoever must not
    change it has to be kept from writing through the link. StoreError when it cannot be made.
    """
    try:
        _copy(folder, copy, _Kept(folder.resolve(), home.resolve()))
    except OSError as error:
        raise StoreError(
            Mistake(
                f"cannot copy the project's code for its tests: {error.strerror}",
                where=str(error.filename or folder),
                fix="make it readable, and look whether the disk of temporary files is full",
            )
        ) from error


class _Kept:
    """Which entries a copy holds, and how much was copied so far."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.copied_bytes = 0

    def of(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        with os.scandir(folder) as entries:
            yield from (entry for entry in sorted(entries, key=_name) if self._belongs(entry))

    def _belongs(self, entry: os.DirEntry[str]) -> bool:
        if not entry.is_dir():
            return entry.is_symlink() or entry.is_file()  # neither sockets nor pipes
        if entry.name.startswith(".") or entry.name in _LEFT_OUT:
            return False
        place = Path(entry.path)
        return place.resolve() != self.home and not (place / "pyvenv.cfg").exists()

    def is_copied(self, entry: os.DirEntry[str]) -> bool:
        size = entry.stat().st_size
        if size > LARGE_BYTES or self.copied_bytes + size > ENOUGH_BYTES:
            return False
        self.copied_bytes += size
        return True


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _copy(folder: Path, copy: Path, kept: _Kept) -> None:
    entries = [*kept.of(folder)]
    if len(entries) > MANY and folder.resolve() != kept.folder:
        copy.symlink_to(folder.resolve())
        return
    copy.mkdir()
    for entry in entries:
        target = copy / entry.name
        if entry.is_symlink():
            target.symlink_to(_led_to(entry, kept.folder))
        elif entry.is_dir():
            _copy(Path(entry.path), target, kept)
        elif kept.is_copied(entry):
            shutil.copy2(entry.path, target)
        else:
            target.symlink_to(Path(entry.path).resolve())


def _led_to(entry: os.DirEntry[str], project: Path) -> Path:
    """What a link of the copy leads to: within the copy, what it led to within the project."""
    written = Path(os.readlink(entry.path))  # noqa: PTH115 - of an entry
    real = Path(entry.path).resolve()
    inside = real.is_relative_to(project) and not written.is_absolute()
    return written if inside else real

"""Which files are the project's own Python code, and what is their digest?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def files(folder: Path) -> list[Path]:
    """Every ``*.py`` below the project folder, sorted.

    Left out are hidden folders (``.seatrial`` is one) and files, virtual environments, installed
    packages and caches. Links to folders are not followed.
    """
    return sorted(path for path in _walk(folder) if path.suffix == ".py")


def digest(folder: Path, of: Iterable[Path] | None = None) -> str:
    """SHA-256 over the names and contents of the project's own code, or of some files of it."""
    found = hashlib.sha256()
    for path in files(folder) if of is None else sorted(of):
        name = path.relative_to(folder).as_posix()
        try:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            content = f"unreadable {error.errno}"
        found.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
    return f"sha256:{found.hexdigest()}"


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file of the project: what a training must leave alone."""
    found: dict[str, tuple[int, int]] = {}
    for path in _walk(folder):
        try:
            about = path.lstat()
        except OSError:
            continue  # gone since it was listed
        found[path.relative_to(folder).as_posix()] = (about.st_size, about.st_mtime_ns)
    return found


def is_of_project(path: Path, folder: Path) -> bool:
    """Whether a file belongs to the project, and not to something installed in its folder.

    >>> is_of_project(Path("/p/a/b.py"), Path("/p")), is_of_project(Path("/q/b.py"), Path("/p"))
    (True, False)
    """
    if not path.is_relative_to(folder):
        return False
    inner = path.relative_to(folder).parts[:-1]
    places = [folder.joinpath(*inner[: end + 1]) for end in range(len(inner))]
    return not any(_is_apart(place) for place in places)


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for where, inner, names in os.walk(folder):
        place = Path(where)
        inner[:] = [name for name in inner if not _is_apart(place / name)]
        found += [place / name for name in names if not name.startswith(".")]
    return found


def _is_apart(folder: Path) -> bool:
    apart = {"__pycache__", "site-packages", "node_modules"}
    return folder.name.startswith(".") or folder.name in apart or (folder / "pyvenv.cfg").is_file()

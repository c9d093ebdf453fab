"""Refuses to change files outside a folder, where the kernel does not: by Python's audit events.

Only what this process does by Python's own functions is seen; other programs are not.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_CHANGES = {
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "shutil.rmtree": ((0, 1),),
}
"""Which arguments of an event are entries that change, and of which folder each is said to be."""


def refuse_outside(folder: Path) -> None:
    """From now on a change outside the folder, or of a device, raises :class:`PermissionError`."""
    allowed = (os.path.realpath(folder), "/dev")

    def look(event: str, arguments: tuple[object, ...]) -> None:
        for path in _changed(event, arguments):
            if not any(path == each or path.startswith(f"{each}/") for each in allowed):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    sys.addaudithook(look)


def _changed(event: str, arguments: tuple[object, ...]) -> Iterator[str]:
    """The real paths of what an event is about to change."""
    if event == "os.truncate" or (event == "open" and _writes(*arguments[1:3])):
        yield from (os.path.realpath(path) for path in _named(arguments[0]))
    for place, folder in _CHANGES.get(event, ()):
        for path in _named(arguments[place]):
            below = _folder(arguments[folder] if folder < len(arguments) else None)
            parent, name = os.path.split(os.path.join(below, path).rstrip("/"))  # noqa: PTH118
            # a link is changed itself, not what it leads to
            yield os.path.join(os.path.realpath(parent), name)  # noqa: PTH118


def _writes(mode: object, flags: object) -> bool:
    by_flags = isinstance(flags, int) and bool(flags & _WRITING)
    return by_flags or (isinstance(mode, str) and bool(set(mode) & set("wax+")))


def _named(argument: object) -> Iterator[str]:
    """The path that an argument gives; a number is a file that is open already."""
    if isinstance(argument, str | bytes | os.PathLike):
        yield os.fsdecode(argument)


def _folder(opened: object) -> str:
    """The folder that a number stands for, which paths may be relative to."""
    if isinstance(opened, int) and opened >= 0:
        return os.path.realpath(f"/proc/self/fd/{opened}")
    return ""

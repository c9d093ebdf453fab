"""Which form is meant by the ending of a file?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import Mistake, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".xml": "application/xml",
    ".json": "application/json",
}
"""The media type of each form."""


def ending_of(file: Path, known: Collection[str]) -> str:
    """The ending of a file, in small letters, where it is one of ``known``.

    Raises :class:`UsageError` for any other.
    """
    ending = file.suffix.lower()
    if ending not in known:
        raise UsageError(
            Mistake(
                f"no report ends in {ending!r}" if ending else "the file has no ending",
                where=str(file),
                nearest=nearest(ending, known),
                fix=f"name it {' or '.join(f'{file.stem}{each}' for each in known)}",
            )
        )
    return ending

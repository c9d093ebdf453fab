"""A text that somebody names by its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake, nearest

if TYPE_CHECKING:
    from pathlib import Path


def text_of(path: Path, what: str) -> str:
    """A file's text; ``what`` is the subject of the FileError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        near = nearest(path.name, [each.name for each in path.parent.glob("*")])
        sentence = f"{what} is not there"
        raise FileError(Mistake(sentence, str(path), nearest=near, fix="check its name")) from error
    except UnicodeDecodeError as error:
        sentence = f"{what} is not UTF-8"
        raise FileError(Mistake(sentence, str(path), fix="save it as UTF-8")) from error
    except OSError as error:
        sentence = f"{what} cannot be read: {error.strerror or error}"
        fix = "check that it is a file, and that you may read it"
        raise FileError(Mistake(sentence, str(path), fix=fix)) from error

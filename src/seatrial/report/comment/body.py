"""What a comment says: a mark by which it is found again, and a report in Markdown."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake, UsageError

if TYPE_CHECKING:
    from pathlib import Path

MOST_CHARACTERS = 65_536
"""The longest body of a comment that GitHub takes."""

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def mark(pipeline: str) -> str:
    """The first line, which GitHub does not show. UsageError for what is no pipeline's name.

    >>> mark("flights_late")
    '<!-- seatrial flights_late -->'
    """
    if not _NAME.fullmatch(pipeline):
        raise UsageError(
            Mistake(
                f"no pipeline can be called {pipeline!r}",
                where="--pipeline",
                fix="give the `name:` of the pipeline file",
            )
        )
    return f"<!-- seatrial {pipeline} -->"


def marked(said: str, pipeline: str) -> bool:
    r"""Whether a comment is about that pipeline. A mark further down is somebody's quotation.

    >>> marked("<!-- seatrial late -->\r\nall well", "late"), marked("all well", "late")
    (True, False)
    """
    return said.partition("\n")[0].strip() == mark(pipeline)


def body(pipeline: str, markdown: str, about: str) -> str:
    """The comment; ``about`` is a line of our own below the report.

    FileError when it is longer than GitHub takes; no report that we write is.
    """
    written = f"{mark(pipeline)}\n{markdown.strip()}\n\n{about}".rstrip() + "\n"
    if len(written) > MOST_CHARACTERS:
        raise FileError(
            Mistake(
                f"the comment would have {len(written)} characters; GitHub takes {MOST_CHARACTERS}",
                fix="write the report with `seatrial report RUN -o report.md`",
            )
        )
    return written


def read(file: Path) -> str:
    """The text of a report's file. FileError when there is none that can be told.

    The file may come from code that nobody trusts, while we hold a token: a link, which could lead
    to what this process knows, is not followed, and nothing else than a file is opened.
    """
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(opened, "rb") as content:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise FileError(Mistake("this is no file", where=str(file)))
            found = content.read(4 * MOST_CHARACTERS + 1)
        return found.decode()
    except UnicodeDecodeError as fault:
        raise FileError(Mistake("this is no text in UTF-8", where=str(file))) from fault
    except OSError as fault:
        what = f"it cannot be read: {fault.strerror}"
        raise FileError(
            Mistake(what, where=str(file), fix="give a file that is no link")
        ) from fault

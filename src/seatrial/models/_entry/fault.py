"""What the project's code did wrong: as a sentence, with its place in the project."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import Mistake
from seatrial.models._entry.code import is_of_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

LONGEST = 200
"""An exception's sentence is cut here: some print whole tables."""


class Fault(Exception):  # noqa: N818 - it is the project's, not an error of ours
    """The project's code is at fault; to be told to its author."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.what)
        self.mistake = mistake


@contextlib.contextmanager
def blamed(doing: str, folder: Path, where: str, fix: str = "") -> Iterator[None]:
    """Whatever is raised inside becomes a :class:`Fault`: ``doing`` is what failed.

    Its place is the innermost line inside the project ``folder``, else ``where``.
    """
    try:
        yield
    except Fault:
        raise
    except SyntaxError as error:
        place = where
        if error.filename and is_of_project(Path(error.filename), folder):
            place = f"{Path(error.filename).relative_to(folder)}:{error.lineno}"
        what = f"{doing}: {type(error).__name__}: {error.msg}"
        raise Fault(Mistake(what, place, fix=fix)) from error
    # User code may raise anything, and end itself by SystemExit: all of it is told to its author.
    except BaseException as error:
        place = _line(error.__traceback__, folder) or where
        raise Fault(_told(doing, place, error, fix)) from error


def sentence(error: BaseException) -> str:
    r"""An exception in one line: the first that it says, as libraries put the point there.

    >>> sentence(ValueError("Input X contains NaN.\nThere is much to read about it."))
    'ValueError: Input X contains NaN.'
    """
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    cut = said if len(said) <= LONGEST else said[:LONGEST] + " …"
    return f"{type(error).__name__}: {cut}" if cut else type(error).__name__


def _told(doing: str, place: str, error: BaseException, fix: str) -> Mistake:
    if isinstance(error, SystemExit):
        what = f"{doing}: it ends the program (exit {error.code})"
        return Mistake(what, place, fix="raise an exception, or return the model")
    if isinstance(error, MemoryError):
        what = f"{doing}: it runs out of memory ({sentence(error)})"
        return Mistake(what, place, fix="raise `memory_mb`, or take less memory")
    return Mistake(f"{doing}: {sentence(error)}", place, fix=fix or _fix(error))


def _fix(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"install {error.name} beside seatrial, or correct the import"
    if isinstance(error, FileNotFoundError):
        return "it runs in an empty folder: find the project's files from Path(__file__).parent"
    return "correct that line, or what leads there"


def _line(trace: TracebackType | None, folder: Path) -> str:
    """The innermost line of the project in a traceback, as ``file:line, in function``."""
    for frame in reversed(traceback.extract_tb(trace)):
        path = Path(frame.filename)
        if is_of_project(path, folder):
            return f"{path.relative_to(folder)}:{frame.lineno}, in {frame.name}"
    return ""

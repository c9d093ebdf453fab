"""Which jobs are at work on this machine: a kernel lock each, freed at once when a job dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from seatrial.errors import Mistake, PassingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Note: TypeAlias = Callable[[str], None]
"""Notes the run that a job drives; ``""`` once the run needs nobody."""

FOLDER = "jobs"
_TRIES, _PAUSE_S = 20, 0.05


@contextlib.contextmanager
def take(home: Path, pipeline: str) -> Iterator[Note]:
    """Be the one job of a pipeline; :class:`PassingError` when there is one already.

    What is yielded notes the run that the job drives; the note of a job that died stays.
    """
    file = home / FOLDER / pipeline
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(handle, pipeline)

        def note(run: str) -> None:
            os.ftruncate(handle, 0)
            os.pwrite(handle, run.encode(), 0)

        yield note
    finally:
        os.close(handle)


def at_work(home: Path) -> frozenset[str]:
    """The pipelines that a job is at work for."""
    return frozenset(pipeline for pipeline, run in _notes(home).items() if run is None)


def left_behind(home: Path) -> frozenset[str]:
    """The runs that jobs were driving when they died."""
    return frozenset(run for run in _notes(home).values() if run)


def _lock(handle: int, pipeline: str) -> None:
    for _ in range(_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)  # a scheduler that looks holds it for a moment
        else:
            return
    raise PassingError(
        Mistake(
            f"another job of {pipeline} is at work",
            fix="nothing to do: the scheduler comes back to it",
        )
    )


def _notes(home: Path) -> Mapping[str, str | None]:
    """What each job noted; ``None`` while it is at work."""
    return {file.name: _note(file) for file in sorted((home / FOLDER).glob("*"))}


def _note(file: Path) -> str | None:
    handle = os.open(file, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.pread(handle, 100, 0).decode()
    except BlockingIOError:
        return None
    finally:
        os.close(handle)

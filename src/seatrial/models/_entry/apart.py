"""Make a model in a process of its own, and tell how that ended."""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import FaultError, FileError, Mistake
from seatrial.models._entry import code, kept, running
from seatrial.models._entry.request import ASKED, FAULT, MADE, STACK

if TYPE_CHECKING:
    from seatrial.inference.foreign import Ended
    from seatrial.models._entry.kept import Kept
    from seatrial.models._entry.request import Request


CHILD = "seatrial.models._entry.child"


def made(ask: Request, timeout_s: float) -> Kept:
    """What came of it; FileError with what the project's code or file did wrong."""
    with tempfile.TemporaryDirectory(prefix="seatrial-train-") as folder:
        scratch = Path(folder)
        (scratch / ASKED).write_bytes(ask.written())
        ended = running.run(CHILD, scratch, scratch / STACK, timeout_s)
        model, fault = scratch / MADE, scratch / FAULT
        if ended.status == 0 and model.is_file():
            return kept.restore(model.read_bytes(), ask.signature)
        if ended.status == 1 and fault.is_file():
            raise FileError(*(Mistake(**each) for each in json.loads(fault.read_bytes())))
        raise _told(ask, ended, scratch / STACK, timeout_s)


def _told(ask: Request, ended: Ended, stack: Path, timeout_s: float) -> FileError | FaultError:
    """A process that neither made a model nor said why."""
    whose = f"`{ask.entrypoint}`" if ask.ready is None else f"the trial of {ask.where}"
    said = f"\nit printed last: {ended.last_line[:200]}" if ended.last_line else ""
    place = _where_it_stood(stack, ask.folder) or ask.where
    if ended.status is None:
        what = f"{whose} was not done after {timeout_s:g} s, and was ended"
        waits = "see what it waits for there" if ask.ready is None else "look for an endless loop"
        fix = f"{waits}, or raise `timeout_s`"
    elif ended.status == 1 and "Traceback (most recent call last)" in ended.said:
        what = f"{whose} could not be run"
        return FaultError(Mistake(what + said, place, fix="please report it, with this file"))
    elif ended.status >= 0:
        what = f"{whose} ended its process (exit {ended.status}) instead of returning a model"
        fix = "raise an exception where something is wrong, and return the model"
    else:
        name = signal.Signals(-ended.status).name
        what = f"{whose} was ended by the system ({name}) while it ran"
        fix = "foreign code crashed there: run that line alone, or try another version of it"
        if ask.memory_mb is not None:
            what += f"; it may take {ask.memory_mb} MB (`memory_mb`)"
            fix = "raise `memory_mb`, or take less memory"
        elif name == "SIGKILL":
            fix = "the machine may have run out of memory: take less of it"
        elif ask.ready is not None:
            fix = "onnxruntime crashed over it: export it anew, or try another version of it"
    return FileError(Mistake(what + said, place, fix=fix))


def _where_it_stood(stack: Path, folder: Path) -> str:
    """The innermost line of the project in a traceback of :mod:`faulthandler`."""
    if not stack.is_file():
        return ""
    for line in stack.read_text(errors="replace").splitlines():
        head, quote, rest = line.strip().partition('"')
        path, _, place = rest.partition('", line ')
        if head == "File " and quote and code.is_of_project(Path(path), folder):
            number, _, function = place.partition(" in ")
            return f"{Path(path).relative_to(folder)}:{number}, in {function}"
    return ""

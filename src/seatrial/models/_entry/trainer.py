"""An entry point as a trainer: the project's function runs in a process of its own."""

from __future__ import annotations

import json
import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import FaultError, FileError, Mistake
from seatrial.models._entry import code, found, kept, running
from seatrial.models._entry.request import ASKED, FAULT, MADE, STACK, Request
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.inference.signature import Signature
    from seatrial.models import Training
    from seatrial.models._entry.kept import Kept
    from seatrial.models._entry.running import Ended

CHILD = "seatrial.models._entry.child"

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """``module:function`` of the project in ``folder``, and the limits within which it runs."""

    entrypoint: str
    folder: Path
    timeout_s: float
    memory_mb: int | None = None
    trusts_pickle: bool = False

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """What is wrong with the entry point; ``hyperparameters`` are the function's business."""
        del hyperparameters, problem
        told = found.mistakes(self.entrypoint, self.folder)
        return [replace(each, where=each.where or where) for each in told]

    def fit(self, training: Training) -> Kept:
        """Run it; FileError with what the project's code did wrong."""
        folder = self.folder.resolve()
        ask = Request(
            training=training,
            entrypoint=self.entrypoint,
            folder=folder,
            where=found.line_of(self.entrypoint, folder) or self.entrypoint,
            memory_mb=self.memory_mb,
            trusts_pickle=self.trusts_pickle,
        )
        before = code.stamps(folder)
        with tempfile.TemporaryDirectory(prefix="seatrial-train-") as scratch:
            made = self._made(ask, Path(scratch))
        fitted = kept.restore(made, ask.signature)
        changed = _changed(before, code.stamps(folder))
        return replace(fitted, findings=(*fitted.findings, *changed))

    def restore(self, native: bytes, signature: Signature) -> Kept:
        """What ``native`` wrote, without running any code."""
        return kept.restore(native, signature)

    def _made(self, ask: Request, scratch: Path) -> bytes:
        (scratch / ASKED).write_bytes(ask.written())
        ended = running.run(CHILD, scratch, scratch / STACK, self.timeout_s)
        made, fault = scratch / MADE, scratch / FAULT
        if ended.code == 0 and made.is_file():
            return made.read_bytes()
        if ended.code == 1 and fault.is_file():
            raise FileError(*(Mistake(**each) for each in json.loads(fault.read_bytes())))
        raise self._ended(ask, ended, scratch)

    def _ended(self, ask: Request, ended: Ended, scratch: Path) -> FileError | FaultError:
        """A process that neither made a model nor said why."""
        whose = f"`{self.entrypoint}`"
        said = f"\nit printed last: {ended.last_line[:200]}" if ended.last_line else ""
        place, fix = _where_it_stood(scratch / STACK, ask.folder) or ask.where, ""
        if ended.code is None:
            what = f"{whose} was not done after {self.timeout_s:g} s, and was ended"
            fix = "see what it waits for there, or raise `timeout_s`"
        elif ended.code == 1 and "Traceback (most recent call last)" in ended.tail:
            what = f"{whose} could not be run"
            return FaultError(Mistake(what + said, place, fix="please report it, with this file"))
        elif ended.code >= 0:
            what = f"{whose} ended its process (exit {ended.code}) instead of returning a model"
            fix = "raise an exception where something is wrong, and return the model"
        else:
            name = signal.Signals(-ended.code).name
            what = f"{whose} was ended by the system ({name}) while it ran"
            fix = "foreign code crashed there: run that line alone, or try another version of it"
            if self.memory_mb is not None:
                what += f"; it may take {self.memory_mb} MB (`memory_mb`)"
                fix = "raise `memory_mb`, or take less memory"
            elif name == "SIGKILL":
                fix = "the machine may have run out of memory: take less of it"
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


def _changed(
    before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]
) -> tuple[Finding, ...]:
    """Files of the project that are others, or elsewhere, after a training."""
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if not names:
        return ()
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))
    return (
        Finding(
            what=f"files of the project changed while it trained: {shown}",
            where=names[0],
            hint="a training that changes its project cannot be repeated: write to the current"
            " folder, which is a scratch folder, and return the model",
        ),
    )

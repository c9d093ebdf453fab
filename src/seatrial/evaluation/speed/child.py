"""Ask a fresh interpreter: it gets a file, leaves a file, and nothing of it outlives the answer."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from seatrial.evaluation.speed.asking import QUESTION, REPLY

if TYPE_CHECKING:
    from collections.abc import Iterator

Reply = TypeVar("Reply", bound=msgspec.Struct)

_SAID = "said.txt"


@dataclass(frozen=True, slots=True)
class Died:
    """How a child ended that left no answer."""

    how: str


@dataclass(frozen=True, slots=True)
class Child:
    """One that is at work."""

    folder: Path
    started: subprocess.Popen[bytes]
    timeout_s: float

    def reply(self, kind: type[Reply]) -> Reply | Died:
        """Wait for what it says."""
        try:
            code = self.started.wait(self.timeout_s)
        except subprocess.TimeoutExpired:
            return Died(f"it did not end within {self.timeout_s:g} s")
        answer = self.folder / REPLY
        if code or not answer.exists():
            return Died(_how(code, (self.folder / _SAID).read_text(errors="replace")))
        return msgspec.msgpack.decode(answer.read_bytes(), type=kind)


@contextmanager
def asked(module: str, question: msgspec.Struct, timeout_s: float) -> Iterator[Child]:
    """Start ``python -m module`` on a question; on leaving, it and what it started are gone."""
    with tempfile.TemporaryDirectory(prefix="seatrial-") as scratch:
        folder = Path(scratch)
        (folder / QUESTION).write_bytes(msgspec.msgpack.encode(question))
        with (folder / _SAID).open("wb") as said:
            # -P: a file of the user's that is called like a library must not stand in for it
            started = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", module, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield Child(folder, started, timeout_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def _how(code: int, said: str) -> str:
    """In words: by which signal, or its last line."""
    if code < 0:
        name = signal.Signals(-code).name
        memory = ": was there memory for it?" if -code == signal.SIGKILL else ""
        return f"its process died by {name}{memory}"
    last = " ".join(said.strip().splitlines()[-1:])
    return f"its process ended with {code}: {last[:200]}"

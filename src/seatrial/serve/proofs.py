"""Proofs of versions: each is opened once in a process of its own before a worker opens it."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LONGEST_S = 600.0
"""A version that is not open by then never will be."""

RETRY_S = 5.0
"""How soon it is tried again when something was in the way."""


@dataclass(frozen=True, slots=True)
class Version:
    """What is to be proven. ``delivered``: it is or was in production."""

    model: str
    version: int
    digest: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """``kind`` is ready, refused or failed; found at this monotonic time.

    What is ready may have a ``reason`` to look at it: where its machine differs.
    """

    kind: str
    reason: str
    at_s: float


@dataclass(slots=True)
class _Running:
    version: Version
    process: subprocess.Popen[bytes]
    since_s: float


class Proofs:
    """One proof at a time, in the order in which they are asked for."""

    def __init__(self, home: Path, log: Callable[..., None]) -> None:
        self._home = home
        self._log = log
        self._found: dict[str, Proof] = {}
        self._running: _Running | None = None

    def of(self, digest: str) -> Proof | None:
        """What was found; None while that is not known."""
        return self._found.get(digest)

    def tend(self, now_s: float, asked: Iterable[Version]) -> bool:
        """Go on proving; whether something new was found."""
        news = self._collect(now_s)
        if self._running is None:
            due = (each for each in asked if self._due(each.digest, now_s))
            if (following := next(due, None)) is not None:
                self._start(following, now_s)
        return news

    def end(self) -> None:
        """Prove no more."""
        if self._running is not None:
            self._running.process.kill()
            self._running.process.communicate()

    def _due(self, digest: str, now_s: float) -> bool:
        found = self._found.get(digest)
        return found is None or (found.kind == "failed" and now_s - found.at_s >= RETRY_S)

    def _start(self, version: Version, now_s: float) -> None:
        arguments = ["--home", str(self._home), "--model", version.model, "--digest"]
        arguments += [version.digest, "--version", str(version.version)]
        arguments += ["--delivered"] if version.delivered else []
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "seatrial.gateway.proving", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                process_group=0,
            )
        except OSError as error:
            self._found[version.digest] = Proof("failed", f"no process: {error.strerror}", now_s)
            return
        self._running = _Running(version, process, now_s)

    def _collect(self, now_s: float) -> bool:
        running = self._running
        if running is None:
            return False
        if running.process.poll() is None:
            if now_s - running.since_s > LONGEST_S:
                running.process.kill()
            return False
        self._running = None
        told, _ = running.process.communicate()
        found = _read(told, running, now_s)
        before = self._found.get(running.version.digest)
        self._found[running.version.digest] = found
        if before is None or (before.kind, before.reason) != (found.kind, found.reason):
            which = {"model": running.version.model, "version": running.version.version}
            self._log("proven", **which, kind=found.kind, reason=found.reason)
        return True


def _read(told: bytes, ended: _Running, now_s: float) -> Proof:
    """What the process told; one that died told enough.

    When it died over its machine, after its answers were proven, that stops only what was never
    delivered, and is tried again: nobody has found out that the machine does not fit.
    """
    kind, reason = _last(told)
    how = _how(ended.process.returncode)
    if kind == "answers":
        delivered = ended.version.delivered
        why = f"its environment could not be compared: the process that looks ended with {how}"
        return Proof("ready" if delivered else "failed", why, now_s)
    if kind and not ended.process.returncode:
        return Proof(kind, reason, now_s)
    return Proof("refused", f"its process ended with {how} while it was opened", now_s)


def _last(told: bytes) -> tuple[str, str]:
    """Kind and reason on the last line that has them; libraries may print others."""
    kind, reason = "", ""
    for line in told.splitlines():
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict) and isinstance(said.get("kind"), str):
            kind, reason = said["kind"], str(said.get("reason", ""))
    return kind, reason


def _how(code: int) -> str:
    """In words.

    >>> _how(1), _how(-11), _how(-40)
    ('exit code 1', 'SIGSEGV', 'signal 40')
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"

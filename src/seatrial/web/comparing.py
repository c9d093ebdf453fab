"""Comparisons that take seconds: one at a time, each in a process that is ended when it is late.

Nobody waits for one. Who asks is told that it is under way, and looks later what came of it; pages
and the API see the same one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from seatrial.gateway import parent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request

LONGEST_S = 120.0
"""A comparison that takes longer is for the command line."""

KEPT = 16
"""So many results are kept; versions never change, the rows may: a result says when it was made."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions of models, by their numbers; ``margin``, where given, asks for a verdict."""

    first: str
    second: str
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a comparison stands: ``told`` is what ``seatrial.web.compared`` printed."""

    state: Literal["none", "under way", "busy", "done", "failed"]
    told: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""


NONE = Result(state="none")


class Comparing:
    """The comparisons of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Pair, Result] = OrderedDict()
        self._running: Pair | None = None

    def of(self, pair: Pair) -> Result:
        """How the comparison of two stands; ``busy`` while that of two others is under way."""
        with self._lock:
            if self._running == pair:
                return Result(state="under way")
            known = self._found.get(pair, NONE)
            return Result(state="busy") if known is NONE and self._running else known

    def begin(self, folder: Path, pair: Pair) -> bool:
        """Begin it anew; False, and nothing is begun, while one is under way."""
        with self._lock:
            if self._running is not None:
                return False
            self._running = pair
            self._found.pop(pair, None)
        name = f"compare {pair.first} {pair.second}"
        threading.Thread(target=self._run, args=(folder, pair), name=name, daemon=True).start()
        return True

    def _run(self, folder: Path, pair: Pair) -> None:
        result = Result(state="failed", why="it was cut short: see the log of `seatrial serve`")
        try:
            result = _compared(folder, pair)
        finally:
            with self._lock:
                self._running = None
                self._found[pair] = result
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)


def comparing(request: Request) -> Comparing:
    """Those of the server that answers a request, whoever asks."""
    return cast("Comparing", request.app.state.comparing)


def _compared(folder: Path, pair: Pair) -> Result:
    began = time.monotonic()
    words = ["--folder", str(folder), "--first", pair.first, "--second", pair.second]
    if pair.margin is not None:
        words.append(f"--margin={pair.margin!r}")
    command = [sys.executable, "-m", "seatrial.web.compared", *words]
    known = {**os.environ, parent.VARIABLE: str(os.getpid())}
    try:
        ended = subprocess.run(  # noqa: S603 - our own module
            command,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
            stdin=subprocess.DEVNULL,
            env=known,
        )
    except subprocess.TimeoutExpired:
        late = f"it takes longer than {LONGEST_S:g} s"
        command_line = f"seatrial compare {pair.first} {pair.second}"
        return Result(state="failed", why=f"{late}: `{command_line}` has the time")
    except OSError as error:
        return Result(state="failed", why=f"no process could be started: {error.strerror}")
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines()
        return Result(state="failed", why="\n".join(lines[-6:]) or f"it ended {ended.returncode}")
    told = json.loads(ended.stdout)
    return Result(state="done", told={**told, "seconds": time.monotonic() - began})

"""Bring versions here from the store: ``python -m seatrial.gateway.bringing HOME NAME DIGEST …``.

A worker opens what lies in its folder. What speaks with stores takes 60 MB and a thread for as
long as a process lives, and a store may be slow: so a process of its own asks it. Of several on
one machine one asks, and the others then find everything here.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.ledger.blobs import blobs_at
from seatrial.ledger.bringing import bring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALIVE_S = 0.5
"""How soon the end of whoever asked is noticed."""


class Bringing:
    """One process at a time, of one worker."""

    def __init__(self, home: Path) -> None:
        self.why = ""
        """What was in the way the last time; empty when everything is here."""
        self._home = home
        self._process: subprocess.Popen[str] | None = None

    def begin(self, versions: Iterable[tuple[str, str]]) -> None:
        """Bring them (name, digest of the manifest), unless something is being brought."""
        if self._process is not None:
            return
        words = [word for version in versions for word in version]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "seatrial.gateway.bringing", str(self._home), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env={**os.environ, parent.VARIABLE: str(os.getpid())},
                text=True,
            )
        except OSError as error:
            self.why = f"no process to ask the store: {error.strerror}"

    def ended(self) -> bool:
        """Whether what was begun is over; True once."""
        if self._process is None or self._process.poll() is None:
            return False
        told, _ = self._process.communicate()
        code, self._process = self._process.returncode, None
        self.why = told.strip() or (f"asking the store ended with {code}" if code else "")
        return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Bring them while whoever asked lives; print what is in the way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("versions", nargs="*")
    asked = parser.parse_args(arguments)
    threading.Thread(target=_end_with, daemon=True).start()
    blobs = blobs_at(asked.home)
    blobs.folder.mkdir(parents=True, exist_ok=True)
    with (blobs.folder / "bringing").open("wb") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        try:
            for name, digest in zip(asked.versions[::2], asked.versions[1::2], strict=True):
                bring(blobs, digest, name)
        except SeatrialError as error:
            sys.stdout.write(" ".join(str(error).split())[:500])


def _end_with() -> None:
    """A large model must not go on coming in for a worker that is gone."""
    alive = parent.watch()
    while alive():
        time.sleep(ALIVE_S)
    os._exit(1)


if __name__ == "__main__":
    main()

"""Prove a version in a process of its own: ``python -m seatrial.gateway.proving``.

A version that crashes or hangs when it is opened does so here, where nobody is served. Once it has
answered its golden rows, this machine is compared with where it was trained: that asks libraries
which may take the process down, too, so what is known by then is told first. Prints JSON objects,
one a line, among what libraries may print, and the last one counts: ``kind`` is ``answers`` (as it
must; what follows is about the machine), ``ready``, ``refused`` or ``failed``; ``reason`` says why,
or what one should know of a version that is ready.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from seatrial.errors import SeatrialError
from seatrial.gateway.counts import Book
from seatrial.gateway.loading import Refused, opened, sentence
from seatrial.gateway.surroundings import Judged, judged
from seatrial.ledger.blobs import blobs_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.ledger.blobs import Blobs

NICE = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Open and prove the version, and tell."""
    parser = argparse.ArgumentParser()
    for name in ("home", "model", "digest"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--version", type=int, required=True)
    parser.add_argument("--delivered", action="store_true", help="it is or was in production")
    asked = parser.parse_args(arguments)
    os.nice(NICE)
    blobs = blobs_at(Path(asked.home))
    found = opened(asked.model, asked.version, asked.digest, blobs, Book())
    if isinstance(found, Refused):
        _tell(found.kind, found.reason)
        return
    _tell("answers", "")
    said = _judged(blobs, asked)
    _tell(said.kind, said.reason)


def _tell(kind: str, reason: str) -> None:
    told = orjson.dumps({"kind": kind, "reason": reason})
    sys.stdout.buffer.write(b"\n" + told + b"\n")  # a line of its own, whatever stands before it
    sys.stdout.buffer.flush()


def _judged(blobs: Blobs, asked: argparse.Namespace) -> Judged | Refused:
    try:
        return judged(json.loads(blobs.get(asked.digest)), delivered=asked.delivered)
    except SeatrialError as error:
        return Refused(asked.model, asked.version, "failed", sentence(error.mistakes))


if __name__ == "__main__":
    main()

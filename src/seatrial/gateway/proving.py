"""Prove a version in a process of its own: ``python -m seatrial.gateway.proving``.

A version that crashes or hangs when it is opened does so here, where nobody is served. Once it has
answered its golden rows, this machine is compared with where it was trained. Prints one JSON
object: ``kind`` is ``ready``, ``refused`` or ``failed``; ``reason`` says why, or what one should
know of a version that is ready.
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
from seatrial.ledger.blobs import Blobs

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    blobs = Blobs(Path(asked.home) / "blobs")
    found = opened(asked.model, asked.version, asked.digest, blobs, Book())
    said = found if isinstance(found, Refused) else _judged(blobs, asked)
    sys.stdout.buffer.write(orjson.dumps({"kind": said.kind, "reason": said.reason}))


def _judged(blobs: Blobs, asked: argparse.Namespace) -> Judged | Refused:
    try:
        return judged(json.loads(blobs.get(asked.digest)), delivered=asked.delivered)
    except SeatrialError as error:
        return Refused(asked.model, asked.version, "failed", sentence(error.mistakes))


if __name__ == "__main__":
    main()

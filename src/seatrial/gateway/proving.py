"""Prove a version in a process of its own: ``python -m seatrial.gateway.proving``.

A version that crashes or hangs when it is opened does so here, where nobody is served. Prints one
JSON object: ``kind`` is ``ready``, ``refused`` or ``failed``, ``reason`` says why.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from seatrial.gateway.counts import Book
from seatrial.gateway.loading import Refused, opened
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
    asked = parser.parse_args(arguments)
    os.nice(NICE)
    blobs = Blobs(Path(asked.home) / "blobs")
    found = opened(asked.model, asked.version, asked.digest, blobs, Book())
    refused = isinstance(found, Refused)
    told = {"kind": found.kind, "reason": found.reason} if refused else {"kind": "ready"}  # type: ignore[union-attr]
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main()

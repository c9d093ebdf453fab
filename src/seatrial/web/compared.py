"""Score two versions on the same rows: ``python -m seatrial.web.compared``, started for who asks.

Prints the document of ``seatrial compare --json``, with the sentences that people read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import workspace
from seatrial.errors import SeatrialError
from seatrial.evaluation import beside_in_words
from seatrial.evaluation.side_by_side import side_by_side
from seatrial.gateway import parent
from seatrial.registry.opened import named
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOOK_S = 0.5
"""How soon it sees that the server that asked is gone."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and end; what is in the way is told on stderr."""
    asked = _arguments(arguments)
    threading.Thread(target=_end_with, args=(parent.watch(),), daemon=True).start()
    try:
        project = open_project(workspace.at(asked.folder), existing=True)
        with closing(project.ledger):
            first, second = (named(project.registry, each) for each in (asked.first, asked.second))
            found = side_by_side(project, first, second, margin=asked.margin, speed=False)
    except SeatrialError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    told = {
        **found.document(),
        "at": project.workspace.clock().isoformat(),
        "disagree": beside_in_words.disagreement(found),
        "noise": beside_in_words.noise_floor(found),
        "apart": [
            "" if each.degradation is None else beside_in_words.difference(each.degradation)
            for each in found.found.metrics
        ],
    }
    sys.stdout.write(json.dumps(told, default=str))
    return 0


def _end_with(alive: Callable[[], bool]) -> None:
    """Nobody is there to read what would be found: end in the middle of it."""
    while alive():
        time.sleep(LOOK_S)
    os._exit(0)


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.web.compared")
    parser.add_argument("--folder", type=Path, required=True)
    for name in ("first", "second"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--margin", type=float)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Promote and resolve a channel in seatrial's registry; prints medians in milliseconds as JSON.

Used by registry_mlflow.py: registry_ours.py FOLDER MOVES.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from seatrial import workspace
from seatrial.registry.project import open_project
from seatrial.registry.registry import PRODUCTION, Move, Registry

MODEL = "flights"


def main(folder: str, moves: str) -> None:
    """Two versions, promoted in turn; each promotion is resolved once."""
    registry = open_project(workspace.at(Path(folder))).registry
    for number in (1, 2):
        manifest: dict[str, object] = {
            "format": "seatrial.version/1",
            "model": MODEL,
            "files": {},
            "seed": number,
        }
        registry.register(MODEL, manifest, label="{version}", run="bench", by="bench")
    promoted, resolved = [], []
    for number in range(int(moves)):
        began = time.perf_counter()
        promote(registry, 1 + number % 2)
        between = time.perf_counter()
        found = resolve(registry)
        ended = time.perf_counter()
        assert found == 1 + number % 2
        promoted.append((between - began) * 1000)
        resolved.append((ended - between) * 1000)
    print(
        json.dumps({"promote": statistics.median(promoted), "resolve": statistics.median(resolved)})
    )


def promote(registry: Registry, version: int) -> None:
    """Look where the channel is, and move it from there: what a promotion by hand does."""
    serving = registry.channel(MODEL, PRODUCTION)
    registry.move(
        Move(
            model=MODEL,
            channel=PRODUCTION,
            version=version,
            expect=serving.revision if serving else 0,
            event="promote",
            by="bench",
            reason="to measure it",
        )
    )


def resolve(registry: Registry) -> int:
    """The version behind the channel, with its digest."""
    serving = registry.resolve(MODEL, PRODUCTION)
    assert serving is not None
    return serving.version


if __name__ == "__main__":
    main(*sys.argv[1:])

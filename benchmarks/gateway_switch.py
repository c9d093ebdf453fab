"""100 000 requests, on kept and on new connections, while the version switches 100 times.

Two gateway workers on one core, so that they could disagree; the clients on the other. A move is
what ``seatrial promote`` and ``seatrial rollback`` do: it returns once the gateway has committed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gateway import bodies, load, project, rivals
from gateway.server import LOAD_CORE, pinned
from measuring import Figure
from seatrial import workspace
from seatrial.registry.project import open_project
from seatrial.review.by_hand import move_by_hand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.server import Server

REQUESTS = int(os.environ.get("BENCH_REQUESTS", "100000"))
MOVES = int(os.environ.get("BENCH_MOVES", "100"))
PAUSE_S = 0.25
LIMIT_MS = 50.0
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Moved:
    """One switch: the version, when the registry had it, and when the call returned (ns)."""

    version: int
    event: str
    committed: int
    returned: int


def figures() -> list[Figure]:
    """What failed, what was answered by the old version, and how soon the new one answered."""
    with tempfile.TemporaryDirectory() as folder:
        made = project.copy(Path(folder) / "project")
        with rivals.ours(made, workers=WORKERS) as server:
            answers, moves = _switched(server, made, Path(folder) / "answers.npy")
    return _told(answers, moves)


def _switched(server: Server, made: Path, out: Path) -> tuple[NDArray[np.void], list[Moved]]:
    request = bodies.matrix(1)
    out.with_suffix(".body").write_bytes(load.raw(request))
    client = Path(load.__file__).with_name("switch_client.py")
    command = [sys.executable, str(client), str(server.port), str(out), str(REQUESTS)]
    with subprocess.Popen([*pinned(LOAD_CORE), *command], stdin=subprocess.PIPE) as clients:
        time.sleep(1)
        moves = _moves(made)
        clients.communicate()
    if clients.returncode:
        raise RuntimeError(f"the clients ended with {clients.returncode}")
    return np.load(out), moves


def _moves(made: Path) -> list[Moved]:
    opened, moves = open_project(workspace.at(made)), []
    try:
        for number in range(MOVES):
            version, event = ((2, "promote"), (1, "rollback"))[number % 2]
            move_by_hand(opened, project.MODEL, version, event, "to measure it", by="benchmark")
            returned = time.time_ns()
            channel = opened.registry.channel(project.MODEL, "production")
            assert channel is not None
            # the time of the transaction, a moment before it was on disk
            committed = int(datetime.fromisoformat(channel.since).timestamp() * 1e9)
            moves.append(Moved(version, event, committed, returned))
            time.sleep(PAUSE_S)
    finally:
        opened.ledger.close()
    return moves


def _told(answers: NDArray[np.void], moves: list[Moved]) -> list[Figure]:
    failed = int((answers["version"] == 0).sum())
    fresh = int(answers["fresh"].sum())
    old, back = 0, 0
    waits: dict[str, list[float]] = {"promote": [], "rollback": []}
    for move, following in zip(moves, [*moves[1:], None], strict=True):
        end = following.committed if following else answers["sent"].max() + 1
        answered = answers[(answers["version"] == move.version) & (answers["got"] > move.committed)]
        first = int(answered["got"].min())
        waits[move.event].append((first - move.committed) / 1e6)
        others = answers[(answers["version"] != move.version) & (answers["version"] > 0)]
        old += int(((others["sent"] > move.returned) & (others["sent"] < end)).sum())
        back += int(((others["sent"] > first) & (others["sent"] < end)).sum())
    kept = len(answers) - fresh
    where = f"{kept} on kept and {fresh} on new connections, {len(moves)} switches"
    return [
        Figure(
            name="requests that failed while versions switched",
            value=failed,
            unit="",
            goal="0",
            met=failed == 0 and len(answers) >= REQUESTS,
            detail=f"of {len(answers)}: {where}; {WORKERS} workers",
        ),
        Figure(
            name="requests sent after a commit returned and answered by the old version",
            value=old,
            unit="",
            goal="0",
            met=old == 0,
            detail=f"{back} that were sent after anybody had an answer of the new one",
        ),
        *(_wait(event, ms) for event, ms in waits.items()),
    ]


def _wait(event: str, waited_ms: list[float]) -> Figure:
    value = float(np.median(waited_ms))
    return Figure(
        name=f"from the move in the registry to the first answer by the new version, {event}",
        value=value,
        unit="ms",
        goal=f"under {LIMIT_MS:g} ms",
        met=max(waited_ms) < LIMIT_MS,
        detail=f"slowest of {len(waited_ms)}: {max(waited_ms):.1f} ms, under full load",
    )

"""From `seatrial serve` to its first answer, what its processes hold, and what they use at rest."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import bodies, project, rivals, tree
from gateway.blocks import ROUNDS, WORKER
from measuring import Figure

if TYPE_CHECKING:
    from gateway.server import Server

START_S = 2.0
WORKER_MB = 80.0
REST_S = 3.0
_WARM_UP = 500


def figures() -> list[Figure]:
    """Medians over several starts."""
    starts, workers, all_mb = [], [], []
    rest: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = project.copy(Path(folder) / "project")
        for _ in range(ROUNDS):
            with rivals.ours(made) as server:
                starts.append(server.first_answer_s)
                for _ in range(_WARM_UP):
                    server.ask(bodies.matrix(1))
                processes = server.tree()
                workers += [tree.pss_mb(each) for each in tree.running(processes, WORKER)]
                all_mb.append(sum(tree.pss_mb(each) for each in processes))
                for name, percent in _at_rest(server).items():
                    rest.setdefault(name, []).append(percent)
    return [
        _started(starts),
        _held(statistics.median(workers), statistics.median(all_mb)),
        _resting({name: statistics.median(percents) for name, percents in rest.items()}),
    ]


def _at_rest(server: Server) -> dict[str, float]:
    """Percent of a core that each process takes while nobody asks anything."""
    time.sleep(REST_S)
    before = server.tree()
    time.sleep(REST_S)
    after = {each.pid: each for each in server.tree()}
    return {
        each.command.partition("\0-m\0")[2].partition("\0")[0]: (after[each.pid].cpu_s - each.cpu_s)
        / REST_S
        * 100
        for each in before
        if each.pid in after
    }


def _started(starts: list[float]) -> Figure:
    value = statistics.median(starts)
    return Figure(
        name="from `seatrial serve` to its first answer",
        value=value,
        unit="s",
        goal=f"under {START_S:g} s",
        met=value < START_S,
        detail=f"slowest of {ROUNDS}: {max(starts):.2f} s; three models, all on one core",
    )


def _held(worker_mb: float, all_mb: float) -> Figure:
    return Figure(
        name="memory of a worker (PSS)",
        value=worker_mb,
        unit="MB",
        goal=f"at most {WORKER_MB:g} MB",
        met=worker_mb <= WORKER_MB,
        detail=f"three small models; all processes: {all_mb:.0f} MB",
    )


def _resting(percent: dict[str, float]) -> Figure:
    return Figure(
        name="processor at rest, all processes",
        value=sum(percent.values()),
        unit="% of a core",
        detail=", ".join(f"{name} {value:.1f}" for name, value in percent.items()),
    )

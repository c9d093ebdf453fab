"""From `seatrial serve` to its first answer, what its processes hold, and what they use at rest."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from gateway import bodies, project, rivals, tree
from gateway.blocks import ROUNDS, WORKER
from measuring import Figure

START_S = 2.0
WORKER_MB = 80.0
REST_S = 3.0
_WARM_UP = 500


def figures() -> list[Figure]:
    """Medians over several starts."""
    starts, workers, all_mb, rest = [], [], [], []
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
                before = tree.cpu_s(server.tree())
                time.sleep(REST_S)
                rest.append((tree.cpu_s(server.tree()) - before) / REST_S * 100)
    start, worker = statistics.median(starts), statistics.median(workers)
    return [
        Figure(
            name="from `seatrial serve` to its first answer",
            value=start,
            unit="s",
            goal=f"under {START_S:g} s",
            met=start < START_S,
            detail=f"slowest of {ROUNDS}: {max(starts):.2f} s; three models, all on one core",
        ),
        Figure(
            name="memory of a worker (PSS)",
            value=worker,
            unit="MB",
            goal=f"at most {WORKER_MB:g} MB",
            met=worker <= WORKER_MB,
            detail=f"three small models; all processes: {statistics.median(all_mb):.0f} MB",
        ),
        Figure(
            name="processor at rest, all processes",
            value=statistics.median(rest),
            unit="% of a core",
        ),
    ]

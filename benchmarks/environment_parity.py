"""What it costs to prove the flights model on a machine, its start included; and many devices.

The bundle is proven from inside its own folder by the code that it carries: with an environment
that has numpy and onnxruntime alone, and with the one that trained it; each time a fresh process.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data.costs import asked, median
from environment import timed
from measuring import (
    FLIGHTS,
    SEATRIAL,
    Cost,
    Figure,
    cost,
    cpu_s,
    environment,
    in_turn,
    same,
    wall_s,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from environment.timed import Costs

ROUNDS = 15
MOST_S = 0.5
MOST_MB = 60.0
DEVICES, PACKAGES = 100, 300


def figures() -> list[Figure]:
    """Seconds and megabytes."""
    rivals = {
        "a device": environment("device", same("numpy", "onnxruntime")),
        "a build server": Path(sys.executable),
    }
    with tempfile.TemporaryDirectory() as folder:
        bundle = _bundle(Path(folder))
        wall = in_turn(
            {name: partial(_proof, each, bundle) for name, each in rivals.items()}, ROUNDS
        )
        told = timed.in_turn(
            {
                "proof": [sys.executable, "-m", "environment.proof", str(bundle)],
                "stages": [sys.executable, "-m", "environment.stages", str(bundle)],
            },
            ROUNDS,
        )
    command = [sys.executable, "-m", "environment.devices", str(DEVICES), str(PACKAGES)]
    devices = asked(command)
    return [
        *(_proven(name, costs, told) for name, costs in wall.items()),
        _stages(told["stages"]),
        _memory(told),
        Figure(
            name=f"{DEVICES} captures of {PACKAGES} packages compared",
            value=devices["compare_s"],
            unit="s",
            detail=f"{devices['rows']} rows that differ; reading the files"
            f" {devices['read_s']:.2f} s, {devices['peak_mb']:.0f} MB",
        ),
    ]


def _proven(name: str, costs: Sequence[Cost], told: Costs) -> Figure:
    seconds = wall_s(costs)
    least, most = (pick(each.wall_s for each in costs) for pick in (min, max))
    rows = int(told["proof"][0]["rows"])
    return Figure(
        name=f"the flights model proven on {name}, {rows} golden rows, start included",
        value=seconds,
        unit="s",
        goal=f"under {MOST_S:g} s",
        met=seconds < MOST_S,
        detail=f"median of {len(costs)}, {least:.2f} to {most:.2f} s;"
        f" processor {cpu_s(costs):.2f} s",
    )


def _stages(stages: Sequence[Mapping[str, float]]) -> Figure:
    """Where the child's time goes, on the build server with its many packages."""
    parts = ", ".join(
        f"{words} {1000 * median(stages, stage):.0f} ms"
        for stage, words in (
            ("import_s", "import"),
            ("open_s", "open"),
            ("golden_s", "golden rows"),
        )
    )
    return Figure(
        name="of which the capture of a build server, its answering packages verified",
        value=1000 * median(stages, "capture_s"),
        unit="ms",
        detail=f"it imports numpy and onnxruntime; then {parts}",
    )


def _memory(told: Costs) -> Figure:
    memory = median(told["proof"], "peak_mb")
    return Figure(
        name="peak memory of the process that asks, outside the child",
        value=memory,
        unit="MB",
        goal=f"under {MOST_MB:g} MB",
        met=memory < MOST_MB,
        detail=f"the child: {median(told['stages'], 'peak_mb'):.0f} MB",
    )


def _bundle(folder: Path) -> Path:
    """Version 1 of flights, made by a real run."""
    project = folder / "project"
    shutil.copytree(FLIGHTS, project, ignore=shutil.ignore_patterns(".seatrial"))
    cost([*SEATRIAL, "run", "pipeline.yaml"], cwd=project)
    cost(
        [*SEATRIAL, "bundle", "flights_late@production", "-o", str(folder / "bundle")], cwd=project
    )
    return folder / "bundle"


def _proof(python: Path, bundle: Path) -> Cost:
    # as on most machines: what the first proof compiled is there for the next
    env = {"PYTHONDONTWRITEBYTECODE": ""}
    return cost([str(python), "-m", "seatrial.environment", "verify", "."], cwd=bundle, env=env)

"""Promote and resolve a channel, beside MLflow: both on SQLite, in turn, in one run.

MLflow has no compare-and-swap, keeps no history and does not sync each write; ours does all
three. It is installed into an environment of its own, .venv-mlflow.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Figure, environment

ROUNDS = 5
MOVES = 200
MLFLOW = "mlflow==3.17.2"
TIMES = {"promote": 3.0, "resolve": 10.0}


def figures() -> list[Figure]:
    """How many times faster, with both medians."""
    theirs = environment("mlflow", [MLFLOW])
    folder = Path(__file__).parent
    rivals = {
        "ours": [sys.executable, str(folder / "registry_ours.py")],
        "mlflow": [str(theirs), str(folder / "registry_theirs.py")],
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in rivals}
    for _ in range(ROUNDS):
        for name, command in rivals.items():
            found[name].append(_round(command))
    return [_figure(operation, found) for operation in TIMES]


def _figure(operation: str, found: dict[str, list[dict[str, float]]]) -> Figure:
    ours, mlflow = (
        statistics.median(measured[operation] for measured in found[name])
        for name in ("ours", "mlflow")
    )
    return Figure(
        name=f"{operation} a channel, times faster than MLflow",
        value=mlflow / ours,
        unit="x",
        goal=f"at least {TIMES[operation]:g} x",
        met=mlflow / ours >= TIMES[operation],
        detail=f"{ours:.3f} ms beside {mlflow:.3f} ms ({MLFLOW}), {ROUNDS} x {MOVES} moves",
    )


def _round(command: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [*command, folder, str(MOVES)], capture_output=True, text=True, check=False
        )
    if ended.returncode:
        raise RuntimeError(f"{command[-1]}: {ended.stderr.strip()[-600:]}")
    measured: dict[str, float] = json.loads(ended.stdout.strip().splitlines()[-1])
    return measured

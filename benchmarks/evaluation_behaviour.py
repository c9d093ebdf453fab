"""The four levels of tests on the flights example: seconds of each task, as a run takes them."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import ROOT, Figure

ROUNDS = 5
MOST_S = 2.0
WORDS = ("unit_tests", "model_tests", "performance_tests", "integration_tests")
_SAID = {
    "unit_tests": "smoke run, and 3 tests of a project in a confined pytest of their own",
    "model_tests": "every check, one direction, one invariance, 5 cases; a copy opened elsewhere",
    "performance_tests": "3 metrics, 3 slices, the worst slice, latency, memory and size",
    "integration_tests": "2 500 rows, each also sent through the serving code",
}


def figures() -> list[Figure]:
    """Medians over several runs in a fresh project each."""
    runs = [_seconds() for _ in range(ROUNDS)]
    return [_figure(word, [run[word] for run in runs]) for word in WORDS]


def _seconds() -> dict[str, float]:
    """Of each task of one run: a first delivery, so that there is no shadow test."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(ROOT / "examples" / "flights", Path(scratch, "flights")))
        said = subprocess.run(
            [Path(sys.executable).with_name("seatrial"), "run", "pipeline.yaml", "--json"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    document: dict[str, Any] = json.loads(said.stdout)
    tasks = [task for stage in document["stages"] for task in stage["tasks"]]
    return {task["task"]: task["seconds"] for task in tasks}


def _figure(word: str, seconds: list[float]) -> Figure:
    value, is_goal = statistics.median(seconds), word == "model_tests"
    return Figure(
        name=f"{word} on flights (17 columns, 200 trees)",
        value=value,
        unit="s",
        goal=f"under {MOST_S:g} s" if is_goal else "",
        met=value < MOST_S if is_goal else None,
        detail=f"{_SAID[word]}; {ROUNDS} runs, {min(seconds):.2f} to {max(seconds):.2f} s",
    )

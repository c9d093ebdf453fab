"""Does a training repeat? Every built-in model type, twice on one thread and twice on two.

60 000 rows of 20 columns (text and missing values among them), few rounds and trees, each time a
fresh process. By hand: ``python benchmarks/evaluation_repeat.py [MODEL …]`` prints JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.repeat import PROBLEMS
from measuring import Figure
from seatrial import extend
from seatrial.inference.parity import TOLERANCE

ROWS = 60_000
THREADS = (1, 1, 2, 2)
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


@dataclass(frozen=True, slots=True)
class Alike:
    """How like each other some trainings of one model are."""

    word: str
    problem: str
    trainings: str
    same: str
    largest_difference: float
    fit_s: float


def figures() -> list[Figure]:
    """One figure a model type, problem and comparison: 1 when every bit is the same."""
    return [
        Figure(
            name=f"{each.word}, {each.problem}, {each.trainings}",
            value=float(each.same == "identical"),
            unit="bit-identical",
            goal="1",
            met=each.same == "identical",
            detail=f"{each.same}, largest difference {each.largest_difference:.1e};"
            f" fitted in {each.fit_s:.1f} s",
        )
        for word in extend.names("models")
        for each in measured(word)
    ]


def measured(word: str, rows: int = ROWS) -> list[Alike]:
    """Train it for each problem, and compare the trainings on as many threads, then all."""
    found = []
    for problem in PROBLEMS:
        with tempfile.TemporaryDirectory() as folder:
            told = [
                _trained(word, problem, rows, threads, Path(folder, f"{number}.npz"))
                for number, threads in enumerate(THREADS)
            ]
            for name, chosen in (
                ("1 thread", told[:2]),
                ("2 threads", told[2:]),
                ("1 against 2 threads", told[1:3]),
            ):
                same, largest = _alike(chosen)
                fit_s = max(each["fit_s"] for each in chosen)
                found.append(Alike(word, problem, name, same, largest, fit_s))
    return found


def _trained(word: str, problem: str, rows: int, threads: int, answers: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "evaluation.repeat", word, problem, str(rows), str(answers)]
    ended = subprocess.run(
        command,
        cwd=Path(__file__).parent,
        env={**os.environ, **dict.fromkeys(VARIABLES, str(threads))},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{word}, {problem}: {ended.stderr.strip()[-800:]}")
    return {**json.loads(ended.stdout.strip().splitlines()[-1]), "answers": answers}


def _alike(told: list[dict[str, Any]]) -> tuple[str, float]:
    """As ``seatrial reproduce`` calls it, and the largest difference of any answer."""
    largest, flips = 0.0, 0
    for one, other in combinations(told, 2):
        with np.load(one["answers"]) as first, np.load(other["answers"]) as second:
            scale = np.maximum(1.0, np.abs(first["shown"])) if first["shown"].ndim == 1 else 1.0
            apart = np.abs(second["shown"].astype(np.float64) - first["shown"]) / scale
            largest = max(largest, float(apart.max()))
            flips += int((first["label"] != second["label"]).sum())
    if len({(each["native"], each["onnx"]) for each in told}) == 1 and not largest:
        return "identical", largest
    return "equal within parity" if largest <= TOLERANCE and not flips else "different", largest


if __name__ == "__main__":
    for model in sys.argv[1:] or extend.names("models"):
        for line in measured(model):
            print(
                json.dumps({key: getattr(line, key) for key in Alike.__dataclass_fields__}),
                flush=True,
            )

"""The project behind every figure: small models, each delivered by a real run of a pipeline.

``matrix`` has 20 number columns and two versions: 1 in production, 2 staged. ``named`` has 16
number columns and ``mixed`` 12 of numbers and 4 of strings, so it can only be asked by name.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import seatrial
from seatrial import workspace
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = "matrix"
NAMED = "named"
MIXED = "mixed"
NUMBERS = {MODEL: 20, NAMED: 16, MIXED: 12}
STRINGS = {MODEL: 0, NAMED: 0, MIXED: 4}
_PASSED, _FAILED, _WAITS = 0, 1, 4
WORDS = ("ash", "beech", "cedar", "oak")

_TRAINING_ROWS = 4000
_VALIDATION_ROWS = 1500
_PIPELINE = """\
name: {name}
stages:
  - name: train_model
    tasks:
      - train:
          model_type: gradient_boosted
          hyperparameters: {{n_estimators: 100, max_depth: 3, num_leaves: 8}}
          data: {name}_training
      - register:
          artifact: {name}_v{{version}}
  - name: deploy_model
    tasks:
      - integration_tests:
          dataset: {name}_validation
          runs: full_validation_set
          performance_threshold: {threshold}
      - promote:
          source: staging
          target: production
"""


_SHADOW = """\
name: shadow
model: {name}
stages:
  - name: train_model
    tasks:
      - train:
          model_type: gradient_boosted
          hyperparameters: {{n_estimators: 100, max_depth: 3, num_leaves: 8}}
          data: {name}_training
      - register:
          artifact: {name}_v{{version}}
      - shadow_tests:
          traffic_percentage: {share}
          duration_hours: 1
          dataset: {name}_validation
"""
_kept: list[tempfile.TemporaryDirectory[str]] = []  # removed when this process ends


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of one model: ``numbers`` is float32 ``[n, k]``, ``strings`` are ``[n, s]``."""

    numbers: NDArray[np.float32]
    strings: NDArray[np.str_]

    @property
    def names(self) -> list[str]:
        """Of the numbers, then of the strings."""
        numbers = [f"feature_{place}" for place in range(self.numbers.shape[1])]
        return [*numbers, *(f"word_{place}" for place in range(self.strings.shape[1]))]


def copy(folder: Path) -> Path:
    """A project of one's own with the three models in production."""
    return Path(shutil.copytree(_made(), folder))


def shadow(folder: Path, share_percent: float) -> None:
    """Open a shadow test of version 2 at the gateway that serves this project, by a run."""
    file = folder / "shadow.yaml"
    file.write_text(_SHADOW.format(name=MODEL, share=share_percent))
    _end_as(_WAITS, file)


def onnx_of(project: Path) -> bytes:
    """The very graph that the gateway feeds a matrix."""
    opened = open_project(workspace.at(project))
    try:
        return opened.registry.file(opened.registry.version(MODEL, 1), "matrix.onnx")
    finally:
        opened.ledger.close()


def rows(name: str, count: int, seed: int) -> Columns:
    """Rows of a model, the same for the same seed."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(count, NUMBERS[name])).astype(np.float32)
    return Columns(numbers, random.choice(WORDS, size=(count, STRINGS[name])))


def _write(folder: Path, name: str, kind: str, count: int, seed: int) -> None:
    made = rows(name, count, seed)
    noise = np.random.default_rng(seed + 1000).normal(scale=0.5, size=count)
    weights = np.resize([1.0, 0.5, -0.3, 0.2], made.numbers.shape[1])
    score = made.numbers @ weights + (made.strings == WORDS[0]).sum(axis=1) + noise
    lines = [",".join((*made.names, "target"))]
    for numbers, strings, target in zip(
        made.numbers.tolist(), made.strings.tolist(), score > 0, strict=True
    ):
        lines.append(",".join((*(f"{v:.7g}" for v in numbers), *strings, str(int(target)))))
    (folder / "data" / f"{name}_{kind}.csv").write_text("\n".join([*lines, ""]))


@cache
def _made() -> Path:
    """Made once for all figures of this process; takes some seconds."""
    _kept.append(tempfile.TemporaryDirectory(prefix="seatrial-bench-"))
    folder = Path(_kept[-1].name) / "project"
    (folder / "data").mkdir(parents=True)
    for name in NUMBERS:
        _write(folder, name, "validation", _VALIDATION_ROWS, 2)
        _deliver(folder, name, 1, 0.6, _PASSED)
    # a bound that nothing reaches: the second version is staged, and stays so
    _deliver(folder, MODEL, 3, 0.9999, _FAILED)
    return folder


def _deliver(folder: Path, name: str, seed: int, threshold: float, ends: int) -> None:
    _write(folder, name, "training", _TRAINING_ROWS, seed)
    file = folder / f"{name}.yaml"
    file.write_text(_PIPELINE.format(name=name, threshold=threshold))
    _end_as(ends, file)


def _end_as(code: int, file: Path) -> None:
    driven = seatrial.run(file)
    if driven.exit_code != code:
        raise RuntimeError(f"{file.name} did not end as it should: {driven.document}")

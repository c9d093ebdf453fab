"""What a run is known by."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from seatrial import plan
from seatrial.engines import Work
from seatrial.engines._begin import _contents
from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
name: two_engines
datasets:
  here: {path: data/rows.parquet}
  there: {path: data/rows.parquet, engine: spark}
  far: {path: data/rows.parquet, engine: spark, remote: "sc://spark.example.org"}
stages:
  - name: look
    tasks:
      - check_schema: {dataset: here, expected_columns: [a]}
      - check_schema: {dataset: there, expected_columns: [a]}
      - check_schema: {dataset: far, expected_columns: [a]}
"""


def test_one_file_on_several_engines_is_known_by_every_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.parquet").touch()
    made = plan.make(read(TEXT, "pipeline.yaml"), tmp_path)
    nothing: Any = None
    work = Work(nothing, made, print)
    for step in made.steps:
        dataset = step.scope.dataset(str(getattr(step.task, "dataset", "")))
        opened: Any = SimpleNamespace(fingerprint=f"sha256:{dataset.name}")
        work._opened[dataset] = opened
    assert set(_contents(work, {}).values()) == {"here", "there", "far"}

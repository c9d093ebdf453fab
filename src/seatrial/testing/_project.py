"""A small project folder in which a suite can plan and run things."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SAMPLE = "sample"
"""A dataset of the project; also what a required word is set to when nothing better is known."""

DATASETS = (SAMPLE, "training_data", "validation_data")
ROWS = 60


def write_project(folder: Path) -> None:
    """Three small datasets with the columns ``size``, ``colour`` and ``target``, and a profile."""
    (folder / "data").mkdir()
    for start, name in enumerate(DATASETS):
        rows = [_row(start * ROWS + number) for number in range(ROWS)]
        (folder / "data" / f"{name}.csv").write_text("\n".join(["size,colour,target", *rows, ""]))
    table = open_table(Dataset(SAMPLE, folder / "data" / f"{SAMPLE}.csv"))
    profile.write(profile.make(table), folder / "baseline.json")


def pipeline_with(word: str, use: Mapping[str, object]) -> str:
    """A pipeline file whose last task is ``word``; before it a version was trained and registered.

    >>> "- promote: {}" in pipeline_with("promote", {})
    True
    """
    return f"""name: conformance
stages:
  - name: before
    tasks:
      - check_schema: {{dataset: {SAMPLE}}}
      - train: {{model_type: gradient_boosted, data: validated_{SAMPLE}}}
      - register: {{}}
  - name: judged
    tasks:
      - {word}: {json.dumps(dict(use))}
"""


def _row(number: int) -> str:
    colour = ("red", "green", "blue")[number % 3]
    return f"{number * 37 % 101},{colour},{int(number * 37 % 101 > 50)}"  # noqa: PLR2004

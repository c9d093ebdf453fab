"""A pipeline of three checks, whose second one says what a test wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.tasks.check_schema import CheckSchema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.outcome import Outcome, Wait
    from seatrial.tasks import Context

PIPELINE = """name: told
seed: 7
stages:
  - name: checks
    tasks:
      - check_schema: {dataset: a, expected_columns: [x]}
      - check_schema: {dataset: a, expected_columns: [y]}
  - name: later
    tasks:
      - check_schema: {dataset: a}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x,y,target\n1,2,0\n3,4,1\n")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return tmp_path / "pipeline.yaml"


@pytest.fixture
def second_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Outcome | Wait]], None]:
    """Let the second check say something else."""
    honest = CheckSchema.run

    def change(said: Callable[[], Outcome | Wait]) -> None:
        def run(self: CheckSchema, context: Context) -> Outcome | Wait:
            second = context.scope.entry.address == "checks.check_schema-2"
            return said() if second else honest(self, context)

        monkeypatch.setattr(CheckSchema, "run", run)

    return change

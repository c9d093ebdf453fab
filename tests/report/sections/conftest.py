"""A ledger with one run, for the sections of its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.report.sections.made import Begin, Made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    made: list[Made] = []

    def new(*steps: str) -> Made:
        made.append(Made.begin(tmp_path, *steps))
        return made[-1]

    yield new
    for each in made:
        each.project.ledger.close()

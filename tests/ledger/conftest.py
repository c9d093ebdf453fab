"""A new ledger in each database, with a clock that the test moves."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from postgres import postgres
from restarting import stoppable
from running import Project
from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.ledger.store import Ledger
from shared_places import new_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from restarting import Stoppable

__all__ = ["postgres"]

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger may lie: what asks for it is tested for each database."""
    if request.param == "sqlite":
        return tmp_path / "home" / "ledger.db"
    return new_schema(request.getfixturevalue("postgres"))


@pytest.fixture
def ledger(place: Path | str, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger(place, clock)
    yield opened
    opened.close()


@pytest.fixture
def own() -> Iterator[Stoppable]:
    """A server that the test may stop."""
    with stoppable() as server:
        yield server


@pytest.fixture
def founding(tmp_path: Path) -> Project:
    """The founding pipeline and its data; nothing was run."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    shutil.copy(FOUNDING, folder / "pipeline.yaml")
    made = Project(folder)
    made.rows("training_data", 1500, 1)
    made.rows("validation_data", 600, 2)
    (folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 20\nnum_leaves: 15\n")
    table = open_table(Dataset("training_data", folder / "data" / "training_data.csv"))
    profile.write(profile.make(table), folder / "baseline_distribution.json")
    return made

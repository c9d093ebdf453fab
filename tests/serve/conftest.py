"""A delivered model to put a gateway in front of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from running import Project
from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"


def _make(folder: Path) -> Project:
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    shutil.copy(FOUNDING, folder / "pipeline.yaml")
    made = Project(folder)
    made.rows("training_data", 1500, 1)
    made.rows("validation_data", 600, 2)
    (folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 20\nnum_leaves: 15\n")
    table = open_table(Dataset("training_data", folder / "data" / "training_data.csv"))
    profile.write(profile.make(table), folder / "baseline_distribution.json")
    made.deliver()
    return made


@pytest.fixture(scope="session")
def _delivered(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return _make(tmp_path_factory.mktemp("delivered") / "project")


@pytest.fixture
def delivered(_delivered: Project, tmp_path: Path) -> Project:
    """A project of one's own, with version 1 in production."""
    return Project(Path(shutil.copytree(_delivered.folder, tmp_path / "project")))

"""A delivered model to put a gateway in front of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from running import Project, founding


@pytest.fixture(scope="session")
def _delivered(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = founding(tmp_path_factory.mktemp("delivered") / "project")
    made.deliver()
    return made


@pytest.fixture
def delivered(_delivered: Project, tmp_path: Path) -> Project:
    """A project of one's own, with version 1 in production."""
    return Project(Path(shutil.copytree(_delivered.folder, tmp_path / "project")))

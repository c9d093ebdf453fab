"""A name becomes a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.data.dataset import SUFFIXES, Dataset, find
from seatrial.errors import FormError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "training_data.csv.gz").touch()
    return tmp_path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_ending_is_found(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / f"d{suffix}"
    file.touch()
    assert find("d", tmp_path, {}) == Dataset("d", file)


def test_declared_entry_gives_path_and_roles(project: Path) -> None:
    entry = {"path": "x.csv", "target": "late", "key": "id", "time": "t", "exclude": ["a b"]}
    found = find("d", project, {"d": entry})
    assert found == Dataset("d", project / "x.csv", "late", "id", "t", ("a b",))


def test_declared_without_a_path_is_looked_for(project: Path) -> None:
    found = find("training_data", project, {"training_data": {"target": "late"}})
    assert found.target == "late"
    assert found.path is not None
    assert found.path.name == "training_data.csv.gz"


def test_missing_names_the_nearest(project: Path) -> None:
    with pytest.raises(FormError, match=r"training_data\.csv\.gz") as caught:
        find("trainig_data", project, {})
    assert len(str(caught.value).splitlines()) <= 6


def test_two_files_of_one_name(project: Path) -> None:
    (project / "data" / "training_data.parquet").touch()
    with pytest.raises(FormError, match=r"ambiguous: training_data.parquet, training_data.csv.gz"):
        find("training_data", project, {})


def test_entry_that_is_no_mapping(project: Path) -> None:
    with pytest.raises(FormError, match="not as a mapping"):
        find("d", project, {"d": "x.csv"})


def test_no_data_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="was not found"):
        find("d", tmp_path, {})

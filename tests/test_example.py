from __future__ import annotations

import csv
import gzip
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from pathlib import Path

MONTHS = {
    "data/training_data.csv.gz": {1: 2500, 2: 2500, 3: 2500},
    "data/validation_data.csv.gz": {4: 2500},
    **{f"later/month_{month:02}.csv.gz": {month: 2500} for month in range(5, 13)},
}


@pytest.mark.parametrize("name", MONTHS)
def test_each_file_holds_its_months(flights: Path, name: str) -> None:
    with gzip.open(flights / name, "rt", encoding="utf-8") as stream:
        months = Counter(int(row["month"]) for row in csv.DictReader(stream))
    assert months == MONTHS[name]


def test_the_baseline_is_the_profile_of_the_training_data(flights: Path) -> None:
    table = open_table(Dataset("training_data", flights / "data" / "training_data.csv.gz"))
    profile.write(profile.make(table), flights / "again.json")
    shipped = (flights / "baseline_distribution.json").read_bytes()
    assert (flights / "again.json").read_bytes() == shipped


def test_the_readme_names_every_column(flights: Path) -> None:
    with gzip.open(flights / "data" / "training_data.csv.gz", "rt", encoding="utf-8") as stream:
        columns = next(csv.reader(stream))
    readme = (flights / "README.md").read_text(encoding="utf-8")
    assert [column for column in columns if f"`{column}`" not in readme] == []

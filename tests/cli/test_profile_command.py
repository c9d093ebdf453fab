"""``seatrial profile``, as a user meets it."""

from __future__ import annotations

import json
import resource
from typing import TYPE_CHECKING

import jsonschema
import pytest

from seatrial.data.profiles import profile as profiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program, Project

CSV = "carrier,delay,year\nAA,1,2013\nUA,2,2013\nAA,,2013\nDL,4,2013\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flights.csv").write_text(CSV)
    return tmp_path


def test_what_is_said(folder: Path, seatrial: Program) -> None:
    said = seatrial("profile", "flights.csv", "-o", "base.json", "--by", "carrier")
    assert (said.code, said.err) == (0, "")
    assert said.out == ("base.json: 4 rows, 3 columns, 3 slices by carrier\n  year: always 2013\n")
    made = profiles.read(folder / "base.json")
    assert [(part.value, part.rows) for part in made.slices] == [("AA", 2), ("DL", 1), ("UA", 1)]


def test_as_json_with_a_schema_draft(folder: Path, seatrial: Program) -> None:
    words = ["-o", "base.json", "--by", "carrier", "--schema", "schema.yaml", "--json"]
    said = seatrial("profile", "flights.csv", *words)
    assert said.code == 0
    assert said.json == {
        "file": "base.json",
        "rows": 4,
        "columns": 3,
        "notes": {"year": "always 2013"},
        "slices": [
            {"column": "carrier", "value": "AA", "rows": 2},
            {"column": "carrier", "value": "DL", "rows": 1},
            {"column": "carrier", "value": "UA", "rows": 1},
        ],
        "schema": "schema.yaml",
    }
    assert "carrier:" in (folder / "schema.yaml").read_text()


def test_it_is_what_the_published_schema_says(folder: Path, seatrial: Program) -> None:
    seatrial("profile", "flights.csv", "-o", "base.json", "--by", "carrier")
    schema = seatrial("schema", "--profile").json
    assert schema["$id"] == "urn:seatrial:profile:2"
    document = json.loads((folder / "base.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    document["columns"][0]["counts"][0] = -1
    assert not jsonschema.Draft202012Validator(schema).is_valid(document)


def test_several_files_of_one_dataset(folder: Path, seatrial: Program) -> None:
    (folder / "more.csv").write_text("delay,year,carrier\n2,2014,UA\n9,2014,\n")
    said = seatrial("profile", "flights.csv", "more.csv", "-o", "base.json", "--by", "carrier")
    assert said.out == "base.json: 6 rows, 3 columns, 3 slices by carrier\n"
    made = profiles.read(folder / "base.json")
    carrier, delay, year = made.columns
    assert (carrier.values, carrier.counts, carrier.nulls) == (("AA", "DL", "UA"), (2, 1, 2), 1)
    assert (delay.counts, delay.nulls, delay.maximum) == ((0, 1, 2, 1, 1), 1, 9.0)
    assert year.mean == pytest.approx(2013 + 1 / 3)
    assert year.note == ""


@pytest.mark.usefixtures("founding")
def test_a_dataset_of_the_project(seatrial: Program) -> None:
    said = seatrial("profile", "training_data", "-o", "base.json")
    assert (said.code, said.out) == (0, "base.json: 1000 rows, 4 columns\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["flight.csv", "-o", "b.json"], ["flight.csv", "nearest: flights.csv"]),
        (["flights.csv", "-o", "b.json", "--by", "carier"], ["'carier'", "nearest: carrier"]),
        (["flights.csv", "other.csv", "-o", "b.json"], ["it lacks delay, year"]),
        (["flights.csv", "-o", "flights.csv/b.json"], ["cannot be written"]),
        (["flights.csv"], ["--output"]),
        (["-o", "b.json"], ["DATA"]),
    ],
)
def test_what_is_wrong_is_told(
    words: list[str], told: list[str], folder: Path, seatrial: Program
) -> None:
    (folder / "other.csv").write_text("carrier,late\nAA,1\n")
    said = seatrial("profile", *words)
    assert said.code == 2
    assert all(text in said.err for text in told), said.err
    assert len(said.err.splitlines()) <= 6
    assert not (folder / "b.json").exists()


def test_a_baseline_from_the_future(founding: Project, seatrial: Program) -> None:
    founding.replace('"version": 2', '"version": 3', "baseline_distribution.json")
    said = seatrial("run", "pipeline.yaml")
    assert said.code == 2
    assert "is of version 3; this program reads 2" in said.err
    assert "seatrial profile data/training_data.csv -o baseline_distribution.json" in said.err
    assert max(len(mistake) for mistake in said.mistakes) <= 6


def test_a_baseline_edited_into_nonsense(founding: Project, seatrial: Program) -> None:
    founding.replace('"nulls": 0', '"nulls": -3', "baseline_distribution.json")
    said = seatrial("check", "pipeline.yaml")
    assert said.code == 2
    assert "column 'feature_1': nulls is -3" in said.err
    assert max(len(mistake) for mistake in said.mistakes) <= 6


@pytest.mark.slow
def test_ten_thousand_columns(folder: Path, seatrial: Program) -> None:
    count = 10_000
    kinds = ["{r}.5", "t{r}", "2024-01-{r}", "", "7"]
    lines = [",".join(kinds[i % 5].format(r=10 + row) for i in range(count)) for row in range(20)]
    header = ",".join(f"c{i}" for i in range(count))
    (folder / "wide.csv").write_text("\n".join([header, *lines, ""]))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = seatrial("profile", "wide.csv", "-o", "wide.json")
    assert said.code == 0
    told = said.out.splitlines()
    assert told[0] == "wide.json: 20 rows, 10000 columns"
    assert told[-1] == "  … and 3980 more columns with a note"
    assert len(told) == 22
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 1_000_000
    made = profiles.read(folder / "wide.json")
    assert [sum(column.counts) for column in made.columns[-5:]] == [20, 20, 20, 0, 20]

"""`check_schema`, from the pipeline file in: what it demands, and which mistakes are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

import seatrial
from seatrial.cli import root

if TYPE_CHECKING:
    from pathlib import Path

DATA = """carrier,flight,dep_delay,time_hour
AA,1,5,2013-01-01 10:00:00
UA,1,,2013-01-01 11:00:00
AA,2,4000,2013-01-01 12:00:00
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "flights.csv").write_text(DATA)
    return tmp_path


def write(folder: Path, **parameters: Any) -> Path:
    task = {"check_schema": {"dataset": "flights", **parameters}}
    stages = [{"name": "validate_data", "tasks": [task]}]
    file = folder / "pipeline.yaml"
    file.write_text(yaml.safe_dump({"name": "demo", "stages": stages}, sort_keys=False))
    return file


def run(folder: Path, **parameters: Any) -> Any:
    """What the run said of the task, and the exit code with it."""
    driven = seatrial.run(write(folder, **parameters))
    document: Any = driven.document
    assert not document["errors"]
    return {**document["stages"][0]["tasks"][0], "code": driven.exit_code}


def mistakes(folder: Path, **parameters: Any) -> str:
    """Everything that the run tells before it begins."""
    driven = seatrial.run(write(folder, **parameters))
    errors: Any = driven.document["errors"]
    assert driven.exit_code == 2, driven.document
    return "\n".join(errors)


WORDS: dict[str, Any] = {
    "columns": {
        "dep_delay": {"type": "number", "max_null_percent": 40, "min": -60, "max": 5000},
        "carrier": {"type": "string", "nullable": False, "allowed": ["AA", "UA"]},
        "time_hour": {"type": "timestamp", "unique": True, "min": "2013-01-01"},
    },
    "keys": [["carrier", "time_hour"]],
    "rows": {"min": 3, "max": 3},
    "freshness": {"column": "time_hour", "max_age": "100000d"},
}


def test_every_word_together_passes(folder: Path) -> None:
    said = run(folder, expected_columns=["flight"], **WORDS)
    assert (said["code"], said["verdict"]) == (0, "pass")
    assert said["reason"].startswith("flights: all 4 expected columns are there, 3 rows; all")
    names = {measure["name"]: measure["verdict"] for measure in said["measures"]}
    assert set(names) == {
        "rows.at_least", "rows.at_most", "nulls.dep_delay", "age_hours.time_hour"
    }  # fmt: skip
    assert set(names.values()) == {"pass"}


@pytest.mark.parametrize(
    ("demand", "what"),
    [
        (
            {"columns": {"dep_delay": {"max": 2000}}},
            "`dep_delay`: 1 of 3 rows (33.3 %) above 2000 (line 4: 4000)",
        ),
        ({"columns": {"carier": {}}}, "expected column 'carier' is missing"),
        ({"rows": {"min": 4}}, "3 rows, where at least 4 are expected"),
        ({"freshness": {"column": "time_hour", "max_age": "7d"}}, "ago, where at most 7d"),
        ({"keys": [["flight"]]}, "key `flight`: 2 of 3 rows (66.7 %) with the same values"),
        ({"columns": {"carrier": {"type": "integer"}}}, "expected integer"),
    ],
)
def test_what_is_broken_fails_with_exit_1(folder: Path, demand: Any, what: str) -> None:
    said = run(folder, **demand)
    assert (said["code"], said["verdict"]) == (1, "fail")
    assert what in said["reason"]
    assert what in said["findings"][0]["what"]
    assert said["findings"][0]["where"] == "flights.csv"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"columns": {"a": {"nulable": True}}}, ["'nulable'", "nearest: nullable", ":9:"]),
        ({"columns": {"a": {"type": "numbr"}}}, ["'numbr'", "nearest: number", ":9:"]),
        ({"columns": {"a": {"min": 9, "max": 1}}}, ["min 9 is above max 1", ":9:"]),
        ({"columns": {"a": {"min": "x"}}}, ["min cannot be 'x'", "2024-12-31"]),
        ({"columns": {"a": {"type": "date", "min": 3}}}, ["min cannot be 3.0 for the type date"]),
        ({"columns": {"a": {"type": "string", "max": 3}}}, ["max is for numbers and times"]),
        ({"columns": {"a": {"type": "number", "allowed": [1, "b"]}}}, ["'b' is allowed", ":12:"]),
        ({"columns": {"a": {"allowed": [1, "b"]}}}, ["1 is allowed, which is no text"]),
        ({"columns": {"a": {"allowed": []}}}, ["no value is allowed"]),
        ({"columns": {"a": {"nullable": False, "max_null_percent": 3}}}, ["keep one of the two"]),
        ({"columns": {"a": "number"}}, ["must be a mapping", "write `a: {type: …}`"]),
        ({"columns": {1: {}}}, ["1 under `columns` is not a text", '"1"']),
        ({"columns": {"day": {}}, "keys": [["dya"]]}, ["`dya` is neither", "nearest: day"]),
        ({"keys": [["a", "a"]]}, ["each of them once"]),
        ({"keys": ["a"]}, ["a list, such as [['carrier', 'flight']]"]),
        ({"rows": {"min": 3, "max": 2}}, ["`rows`: min 3 is above max 2"]),
        ({"rows": 3}, ["write a mapping"]),
        ({"freshness": {"column": "a", "max_age": "2 years"}}, ["'2 years'", "`7d`"]),
        ({"freshness": {"column": "a"}}, ["`freshness` needs `max_age`"]),
        ({"expected_columns": ["a", "a"]}, ["column 'a' is expected twice"]),
    ],
)
def test_mistakes_are_told_with_their_place(folder: Path, parameters: Any, told: list[str]) -> None:
    said = mistakes(folder, **parameters)
    assert "pipeline.yaml:" in said
    for words in told:
        assert words in said
    assert len(said.strip().splitlines()) <= 6


def test_the_plan_says_what_is_demanded(folder: Path) -> None:
    file = write(folder, **WORDS)
    told = CliRunner().invoke(root, ["plan", str(file)]).output
    assert "3 expected columns exist, others may be there" in told
    assert "dep_delay: number, at most 40 % missing, at least -60, at most 5000" in told
    assert "carrier: string, no value missing, one of 2 values" in told
    assert "keys: [[carrier, time_hour]]" in told
    assert "no two rows have the same carrier, time_hour" in told
    assert "the newest time_hour is at most 100000d old" in told


def test_a_hint_for_many_columns_is_told_once(folder: Path) -> None:
    file = write(folder, expected_columns=["carrier"], strict=True)
    told = CliRunner().invoke(root, ["run", str(file)]).output
    assert told.count("is not expected (flights.csv)") > 2
    assert told.count("hint: drop it") == 1


def test_the_schema_may_be_a_file(folder: Path) -> None:
    schema = folder / "schema.yaml"
    schema.write_text("columns:\n  dep_delay: {max: 2000}\n")
    said = run(folder, schema="schema.yaml")
    assert said["verdict"] == "fail"
    assert "above 2000 (line 4: 4000)" in said["reason"]
    schema.write_text("columns:\n  dep_delay: {max: 5000}\n")
    assert run(folder, schema="schema.yaml")["verdict"] == "pass"


def test_another_schema_is_another_run(folder: Path) -> None:
    (folder / "schema.yaml").write_text("rows: {min: 1}\n")
    first = seatrial.run(write(folder, schema="schema.yaml")).document["run"]
    (folder / "schema.yaml").write_text("rows: {min: 2}\n")
    assert seatrial.run(folder / "pipeline.yaml").document["run"] != first


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("columns:\n  dep_delay: {mxa: 3}\n", ["schema.yaml:2:15", "nearest: max"]),
        ("colums: {}\n", ["schema.yaml:1:1", "nearest: columns"]),
        ("columns:\n  a: {min: 3, max: 1}\n", ["schema.yaml:2:7", "min 3 is above max 1"]),
        ("- a\n", ["a schema file is a mapping of keys, not a list"]),
        ("a: [\n", ["schema.yaml:"]),
    ],
)
def test_mistakes_in_a_schema_file_name_its_lines(folder: Path, text: str, told: list[str]) -> None:
    (folder / "schema.yaml").write_text(text)
    said = mistakes(folder, schema="schema.yaml")
    for words in told:
        assert words in said


def test_a_schema_file_that_is_not_there_names_the_nearest(folder: Path) -> None:
    (folder / "schema.yaml").write_text("rows: {min: 1}\n")
    said = mistakes(folder, schema="shema.yaml")
    assert "there is no schema file shema.yaml" in said
    assert "nearest: schema.yaml" in said
    assert "--schema shema.yaml" in said


def test_demands_stand_in_one_place(folder: Path) -> None:
    (folder / "schema.yaml").write_text("rows: {min: 1}\n")
    said = mistakes(folder, schema="schema.yaml", strict=True)
    assert "`strict` stands here, and the schema is in schema.yaml" in said


def test_a_schema_file_with_a_byte_order_mark_and_one_that_is_empty(folder: Path) -> None:
    (folder / "schema.yaml").write_bytes(b"\xef\xbb\xbfrows: {min: 1}\n")
    assert run(folder, schema="schema.yaml")["verdict"] == "pass"
    (folder / "schema.yaml").write_bytes(b"")
    assert run(folder, schema="schema.yaml")["verdict"] == "pass"
    (folder / "schema.yaml").write_bytes(b"columns: {\xff: {}}\n")
    assert "is not UTF-8" in mistakes(folder, schema="schema.yaml")

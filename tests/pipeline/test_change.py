"""``--set STAGE.TASK.KEY=YAML``."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.pipeline.read import read

FOUNDING = (Path(__file__).parents[1] / "pipelines" / "founding.yaml").read_text()


def test_a_change_replaces_a_value_and_is_its_place() -> None:
    changes = ["evaluate_model.unit_tests.runs=100", "validate_data.check_schema.strict=true"]
    pipeline = read(FOUNDING, "p.yaml", changes)
    assert pipeline.mistakes == ()
    assert pipeline.changes == tuple(changes)
    assert pipeline.digest == read(FOUNDING, "p.yaml").digest
    (task,) = (t for t in pipeline.tasks if t.address == "evaluate_model.unit_tests")
    assert task.parameters == {"runs": 100, "performance_threshold": 0.85}
    assert str(task.where("runs")) == "--set evaluate_model.unit_tests.runs"
    assert str(task.where("performance_threshold")) == "p.yaml:26:11"
    assert pipeline.tasks[0].parameters["strict"] is True


def test_a_list_replaces_a_list_with_its_places() -> None:
    change = "validate_data.check_schema.expected_columns=[a, b]"
    task = read(FOUNDING, "p.yaml", [change]).tasks[0]
    assert task.parameters["expected_columns"] == ["a", "b"]
    assert task.where("expected_columns", 1).line == 0
    assert ("expected_columns", 2) not in task.places


def test_nested_keys_are_made_and_the_last_change_counts() -> None:
    changes = [
        "validate_data.check_schema.ranges={a: [0, 1]}",
        "validate_data.check_schema.ranges.b.low=1",
        "validate_data.check_schema.ranges.b.low=2",
    ]
    task = read(FOUNDING, "p.yaml", changes).tasks[0]
    assert task.parameters["ranges"] == {"a": [0, 1], "b": {"low": 2}}
    assert str(task.where("ranges", "b", "low")).endswith("ranges.b.low")
    assert str(task.where("ranges", "a")).endswith(".ranges")


def test_the_second_of_two_equal_words_has_its_own_address() -> None:
    text = "name: a\nstages: [{name: s, tasks: [promote, promote]}]\n"
    first, second = read(text, "p", ["s.promote-2.target=production"]).tasks
    assert (first.parameters, second.parameters) == ({}, {"target": "production"})


@pytest.mark.parametrize(
    ("change", "what", "near"),
    [
        ("runs=5", "cannot understand", ""),
        ("evaluate_model.unit_tests=5", "cannot understand", ""),
        ("evaluate_model.unit_tests.runs", "cannot understand", ""),
        ("evaluate_model.unit_tests.=5", "cannot understand", ""),
        ("evaluate_model.unit_tests.a..b=5", "cannot understand", ""),
        ("evaluate_model.unit_test.runs=5", "no task is called", "evaluate_model.unit_tests"),
        ("evaluate_model.unit_tests.runs.x=5", "is the number 50", ""),
        ("evaluate_model.unit_tests.runs=[", "bracket", ""),
        ("evaluate_model.unit_tests.runs={a: 1, a: 2}", "given twice", ""),
    ],
)
def test_a_bad_change_is_told_and_changes_nothing(change: str, what: str, near: str) -> None:
    pipeline = read(FOUNDING, "p.yaml", [change])
    (mistake,) = pipeline.mistakes
    assert what in mistake.what
    assert mistake.nearest == near
    assert mistake.where.startswith("--set")
    assert mistake.fix
    assert pipeline.stages == read(FOUNDING, "p.yaml").stages

"""The faults of docs/guides/which_test.md, planted in the flights example, one for each level."""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING

import pytest
from tests.tasks.conftest import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Row = dict[str, str]

NO_DRIFT = "validate_data.check_distribution.threshold=100"
"""Of labels that are turned the door would have told already."""

pytestmark = pytest.mark.slow


@pytest.fixture
def project(flights: Path) -> Project:
    return Project(flights)


def rewrite(file: Path, change: Callable[[Row], None]) -> None:
    """Let ``change`` spoil every row of a dataset."""
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(file.read_bytes()).decode())))
    for row in rows:
        change(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def spoil_training(project: Project, change: Callable[[Row], None]) -> None:
    rewrite(project.folder / "data" / "training_data.csv.gz", change)


def flip(row: Row) -> None:
    row["late"] = "1" if row["late"] == "0" else "0"


def stopped_by(project: Project, *changes: str) -> tuple[str, str]:
    """Which task of the run failed, with its reason and findings; the ones before it let pass."""
    went = project.run(*changes)
    assert went.code == 1
    assert went.production[0] == went.production[1]
    tasks = [task for stage in went.document["stages"] for task in stage["tasks"]]
    (failed,) = [task for task in tasks if task["verdict"] == "fail"]
    told = [failed["reason"], *(f"{f['what']} {f['hint']}" for f in failed["findings"])]
    return failed["task"], "\n".join(told)


def test_a_wrong_formula_is_found_before_anything_is_trained(project: Project) -> None:
    (project.folder / "clock.py").write_text(
        "def minutes(hhmm):\n    return hhmm // 60 * 60 + hhmm % 60\n"
    )
    code = project.folder / "tests" / "code"
    code.mkdir()
    (code / "test_clock.py").write_text(
        "from clock import minutes\n\n\ndef test_minutes():\n    assert minutes(930) == 570\n"
    )
    text = project.file.read_text()
    first = "stages:\n  - name: test_code\n    tasks:\n      - unit_tests: {tests: tests/code}\n"
    project.file.write_text(text.replace("stages:\n", first, 1))
    task, told = stopped_by(project)
    assert task == "unit_tests"
    assert "assert 930 == 570" in told


def test_turned_labels_do_not_pass_fifty_rows(project: Project) -> None:
    spoil_training(project, flip)
    task, told = stopped_by(project, NO_DRIFT, "evaluate_model.unit_tests.tests=null")
    assert task == "unit_tests"
    assert "not even by luck" in told


def test_what_is_rare_and_absurd_is_found_by_a_case(project: Project) -> None:
    def forget_the_worst(row: Row) -> None:
        if float(row["dep_delay"]) > 100:
            row["late"] = "0"

    spoil_training(project, forget_the_worst)
    task, told = stopped_by(project)
    assert task == "model_tests"
    assert "two hours late at the gate" in told


def test_an_airport_that_is_always_wrong_is_found_as_the_worst_slice(project: Project) -> None:
    def turn_one_airport(row: Row) -> None:
        if row["dest"] == "CLT":
            flip(row)

    spoil_training(project, turn_one_airport)
    task, told = stopped_by(project)
    assert task == "performance_tests"
    assert "dest = CLT" in told


def test_a_slow_model_is_found_beside_the_one_that_serves(project: Project) -> None:
    assert project.run("evaluate_model.performance_tests.latency={}").code == 0
    task, told = stopped_by(
        project,
        "train_model.train.hyperparameters={n_estimators: 2000, learning_rate: 0.005}",
        "evaluate_model.performance_tests.latency={times: 1.5}",
    )
    assert task == "performance_tests"
    assert "latency_ratio" in told


def test_a_model_that_learned_too_little_is_worse_than_the_one_that_serves(
    project: Project,
) -> None:
    assert project.run().code == 0
    task, told = stopped_by(
        project,
        "train_model.train.hyperparameters={n_estimators: 2, num_leaves: 2}",
        "evaluate_model.model_tests.cases=null",
        "evaluate_model.unit_tests.tests=null",
        "evaluate_model.unit_tests.performance_threshold=0.6",
        "evaluate_model.performance_tests.metrics={}",
        "evaluate_model.performance_tests.slice_threshold=null",
        "evaluate_model.integration_tests.performance_threshold=0.6",
    )
    assert task == "integration_tests"
    assert "worse than version 1" in told

"""A few rows catch the obvious and prove nothing; a folder of tests is the project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.tasks.conftest import Project

pytestmark = pytest.mark.slow  # processes of their own

UNIT = "evaluate_model.unit_tests"


def test_a_smoke_run_passes_while_the_limit_is_not_out_of_reach(delivered: Project) -> None:
    went = delivered.run(f"{UNIT}.performance_threshold=0.97")
    measure = went.measures("unit_tests")["accuracy"]
    assert measure["low"] < measure["limit"] <= measure["high"]
    assert (measure["n"], measure["verdict"], went.code) == (50, "pass", 0)


def test_a_smoke_run_fails_when_the_limit_is_certainly_missed(delivered: Project) -> None:
    delivered.rows("validation_data", 600, 2, noise=2.0)
    went = delivered.run(f"{UNIT}.performance_threshold=0.95")
    measure = went.measures("unit_tests")["accuracy"]
    assert measure["high"] < measure["limit"]
    assert (measure["verdict"], went.code) == ("fail", 1)
    assert went.task("integration_tests")["state"] == "not_reached"


def test_a_smoke_run_skips_with_fewer_than_five_rows_of_the_rarer_class(
    delivered: Project,
) -> None:
    delivered.rows("rare_data", 800, 3, positives=12)
    went = delivered.run(f"{UNIT}.dataset=rare_data")
    assert went.verdict("unit_tests") == "skip"
    assert "the rarer class has" in went.reason("unit_tests")
    assert "of 50 rows" in went.reason("unit_tests")
    assert went.code == 0


def test_fifty_rows_alone_are_an_ordinary_gate(fresh: Project) -> None:
    """No integration_tests bounds the metric, so 50 rows must prove it, and cannot."""
    fresh.edit("          performance_threshold: 0.82\n", "")
    went = fresh.run(f"{UNIT}.performance_threshold=0.93")
    measure = went.measures("unit_tests")["accuracy"]
    assert measure["low"] < 0.93 <= measure["high"]
    assert (measure["verdict"], went.code) == ("inconclusive", 3)
    assert went.document["state"] == "review"
    assert "more labelled rows would settle it" in went.reason("unit_tests")
    assert went.production == (None, None)


def test_another_metric_makes_no_smoke_run_of_it(delivered: Project) -> None:
    """The integration_tests bounds accuracy; nothing else bounds f1."""
    went = delivered.run(f"{UNIT}.metric=f1", f"{UNIT}.performance_threshold=0.95")
    assert went.measures("unit_tests")["f1"]["verdict"] == "inconclusive"
    assert went.code == 3


def test_the_rows_are_the_same_ones_each_time(delivered: Project) -> None:
    first, second = delivered.run(), delivered.run()
    assert first.measures("unit_tests") == second.measures("unit_tests")


def _write_tests(project: Project, source: str) -> None:
    (project.folder / "checks").mkdir()
    (project.folder / "checks" / "test_project.py").write_text(source)


def test_a_folder_of_tests_that_pass(delivered: Project) -> None:
    _write_tests(
        delivered,
        "from pathlib import Path\n"
        "def test_data(): assert Path('data/training_data.csv').exists()\n"
        "def test_more(): pass\n",
    )
    went = delivered.run(f"{UNIT}.tests=checks")
    assert (went.code, went.verdict("unit_tests")) == (0, "pass")
    assert "2 tests of checks pass" in went.reason("unit_tests")
    assert "accuracy" in went.measures("unit_tests")


@pytest.mark.parametrize(
    ("source", "what", "where"),
    [
        ("def test_a(): assert 0, 'sum'\ndef test_b(): pass\n", "sum", "test_a"),
        ("def test_a(missing): pass\n", "missing", "test_a"),
        ("import no_such_package\n", "no_such_package", "test_project"),
        ("", "no tests ran", "checks"),
    ],
)  # fmt: skip
def test_a_folder_of_tests_that_fail(
    delivered: Project, source: str, what: str, where: str
) -> None:
    _write_tests(delivered, source)
    went = delivered.run(f"{UNIT}.tests=checks")
    assert (went.code, went.verdict("unit_tests")) == (1, "fail")
    findings = went.task("unit_tests")["findings"]
    assert any(what in f["what"] and where in f["where"] for f in findings), findings
    assert went.task("integration_tests")["state"] == "not_reached"


def test_a_folder_of_tests_that_never_ends(delivered: Project) -> None:
    _write_tests(delivered, "import time\ndef test_a(): time.sleep(60)\n")
    went = delivered.run(f"{UNIT}.tests=checks", f"{UNIT}.timeout_s=0.8")
    assert (went.code, went.verdict("unit_tests")) == (1, "fail")
    assert "did not end within 0.8 s" in went.reason("unit_tests")
    assert "accuracy" in went.measures("unit_tests")


def test_a_changed_test_is_another_run(delivered: Project) -> None:
    _write_tests(delivered, "def test_a(): assert False\n")
    failed = delivered.run(f"{UNIT}.tests=checks")
    (delivered.folder / "checks" / "test_project.py").write_text("def test_a(): pass\n")
    passed = delivered.run(f"{UNIT}.tests=checks")
    assert (failed.code, passed.code) == (1, 0)
    assert failed.run != passed.run

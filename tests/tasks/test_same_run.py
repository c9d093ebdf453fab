"""Which run is this: the same one resumed, or another because a file, a setting or data changed?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from seatrial.cli import root
from seatrial.errors import StoreError

if TYPE_CHECKING:
    import pytest
    from tests.tasks.conftest import Project, Went

SHADOW = "evaluate_model.shadow_tests"


def _stopped_after(project: Project, address: str) -> Went:
    def say(line: str) -> None:
        if line.startswith(f"{address}:"):
            raise StoreError("the power went away")

    went = project.run(say=say)
    assert went.code == 5
    return went


def test_an_unfinished_run_is_resumed_where_it_stopped(fresh: Project) -> None:
    stopped = _stopped_after(fresh, "train_model.train")
    went = fresh.run()
    assert (went.code, went.run) == (0, stopped.run)
    assert went.task("train")["seconds"] == stopped.task("train")["seconds"]


def test_changed_data_is_another_run(fresh: Project) -> None:
    stopped = _stopped_after(fresh, "train_model.train")
    fresh.rows("training_data", 1500, 11)
    went = fresh.run()
    assert (went.code, went.run != stopped.run) == (0, True)
    assert "re-used" not in went.reason("train")


def test_other_validation_data_trains_nothing_again(delivered: Project) -> None:
    delivered.rows("validation_data", 500, 12)
    went = delivered.run()
    assert went.code == 0
    assert "re-used" in went.reason("train")
    assert went.measures("integration_tests")["accuracy"]["n"] == 500


def test_a_changed_setting_is_another_run_and_the_old_one_is_closed(fresh: Project) -> None:
    stopped = _stopped_after(fresh, "train_model.train")
    went = fresh.run("evaluate_model.unit_tests.runs=60")
    assert went.run != stopped.run
    assert went.measures("unit_tests")["accuracy"]["n"] == 60
    assert "re-used" in went.reason("train")
    back = fresh.run()
    assert back.run not in {went.run, stopped.run}


def test_data_that_changed_since_its_check_is_not_trained_on(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = _stopped_after(fresh, "validate_data.check_distribution")
    fresh.rows("training_data", 1500, 11)
    monkeypatch.chdir(fresh.folder)
    words = ["step", stopped.run, "train_model.train", "--json"]
    said = CliRunner().invoke(root, words, standalone_mode=False)
    told = json.loads(said.stdout)
    assert (said.return_value, told["verdict"]) == (3, "inconclusive")
    assert "changed since it was checked" in told["reason"]


def test_a_missing_column_is_a_verdict(fresh: Project) -> None:
    went = fresh.run("validate_data.check_schema.expected_columns=[feature_1, featur_2]")
    assert (went.code, went.verdict("check_schema")) == (1, "fail")
    (finding,) = went.task("check_schema")["findings"]
    assert "featur_2" in finding["what"]
    assert "feature_2" in finding["hint"]
    assert went.document["model"] is None
    assert went.task("train")["state"] == "not_reached"


def test_data_that_moved_is_a_verdict(fresh: Project) -> None:
    data = fresh.folder / "data" / "training_data.csv"
    head, *rows = data.read_text().splitlines()
    data.write_text("\n".join([head, *(f"7{row.lstrip('-')}" for row in rows), ""]))
    went = fresh.run()
    assert (went.code, went.verdict("check_distribution")) == (1, "fail")
    measures = went.measures("check_distribution")
    assert measures["kl.feature_1"]["low"] > measures["kl.feature_1"]["limit"] == 0.1
    assert measures["kl.feature_2"]["verdict"] == "pass"

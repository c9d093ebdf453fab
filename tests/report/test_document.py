"""The one document of a run: the keys of the contract, in whatever state the run is."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import seatrial
from seatrial import workspace
from seatrial.errors import StoreError
from seatrial.ledger import runs
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.registry.project import open_project
from seatrial.report.document import document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Says = Callable[[Callable[[], Outcome | Wait]], None]

KEYS = ["run", "pipeline", "state", "verdict", "model", "production", "errors", "stages"]
TASK = ["task", "state", "verdict", "reason", "seconds", "waiting_until", "measures", "findings"]
MEASURE = {"name", "value", "low", "high", "limit", "direction", "n", "verdict"}
FINDING = {"what", "where", "hint"}


def _demand_form(told: dict[str, Any]) -> None:
    """Every key, no other, in order; and JSON without a word of Python's own."""
    assert list(told) == KEYS
    assert told["state"] in {"finished", "waiting", "review"}
    assert told["verdict"] in {None, "pass", "fail", "inconclusive"}
    assert list(told["production"]) == ["before", "after"]
    assert all(isinstance(error, str) for error in told["errors"])
    if told["model"] is not None:
        assert list(told["model"]) == ["name", "version", "digest"]
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", told["model"]["digest"])
    for stage in told["stages"]:
        assert list(stage) == ["name", "verdict", "tasks"]
        for task in stage["tasks"]:
            assert list(task) == TASK
            assert task["state"] in {"done", "waiting", "not_reached"}
            assert (task["verdict"] is None) == (task["state"] != "done")
            assert all(set(measure) == MEASURE for measure in task["measures"])
            assert all(set(finding) == FINDING for finding in task["findings"])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def _states(told: dict[str, Any]) -> list[str]:
    return [task["state"] for stage in told["stages"] for task in stage["tasks"]]


def test_passed(file: Path) -> None:
    told: dict[str, Any] = seatrial.run(file).document
    _demand_form(told)
    assert (told["state"], told["verdict"], told["errors"]) == ("finished", "pass", [])
    assert [t["task"] for s in told["stages"] for t in s["tasks"]] == [
        "check_schema", "check_schema-2", "check_schema",
    ]  # fmt: skip
    assert _states(told) == ["done"] * 3
    assert [stage["verdict"] for stage in told["stages"]] == ["pass", "pass"]
    assert all(task["seconds"] >= 0 for s in told["stages"] for task in s["tasks"])


def test_failed(file: Path) -> None:
    told: dict[str, Any] = seatrial.run(
        file, ["checks.check_schema-2.expected_columns=[z]"]
    ).document
    _demand_form(told)
    assert (told["state"], told["verdict"]) == ("finished", "fail")
    assert _states(told) == ["done", "done", "not_reached"]
    assert [stage["verdict"] for stage in told["stages"]] == ["fail", None]
    assert told["stages"][0]["tasks"][1]["findings"]
    assert told["stages"][1]["tasks"][0]["reason"] in {None, ""}


def test_in_review(file: Path, second_says: Says) -> None:
    second_says(lambda: Outcome(verdict=Verdict.INCONCLUSIVE, reason="cannot say"))
    driven = seatrial.run(file)
    told: dict[str, Any] = driven.document
    _demand_form(told)
    assert (driven.exit_code, told["state"], told["verdict"]) == (3, "review", "inconclusive")
    assert _states(told) == ["done", "done", "not_reached"]


def test_waiting(file: Path, second_says: Says) -> None:
    until = workspace.now() + timedelta(hours=48)
    second_says(lambda: Wait(until=until, reason="gathers traffic"))
    driven = seatrial.run(file)
    told: dict[str, Any] = driven.document
    _demand_form(told)
    assert (driven.exit_code, told["state"], told["verdict"]) == (4, "waiting", None)
    assert _states(told) == ["done", "waiting", "not_reached"]
    waits = told["stages"][0]["tasks"][1]
    assert (waits["waiting_until"], waits["reason"]) == (until.isoformat(), "gathers traffic")


def test_stopped_by_what_is_in_the_way(file: Path, second_says: Says) -> None:
    def broken() -> Outcome:
        raise StoreError("the store is gone")

    second_says(broken)
    driven = seatrial.run(file)
    told: dict[str, Any] = driven.document
    _demand_form(told)
    assert (driven.exit_code, told["state"], told["verdict"]) == (5, "waiting", None)
    assert told["errors"] == ["the store is gone"]
    assert _states(told) == ["done", "waiting", "not_reached"]


def test_unusable_data(file: Path) -> None:
    (file.parent / "data" / "a.csv").write_text("x,y,target\n")
    driven = seatrial.run(file)
    told: dict[str, Any] = driven.document
    _demand_form(told)
    assert (driven.exit_code, told["state"], told["verdict"]) == (2, "finished", None)
    assert told["run"] is not None
    assert told["errors"]
    assert _states(told) == ["not_reached"] * 3


def test_a_file_that_is_wrong(file: Path) -> None:
    file.write_text(
        file.read_text().replace("check_schema: {dataset: a}", "check_shema: {dataset: a}")
    )
    driven = seatrial.run(file)
    told: dict[str, Any] = driven.document
    _demand_form(told)
    assert (driven.exit_code, told["run"], told["stages"]) == (2, None, [])
    assert "check_shema" in told["errors"][0]


def test_a_run_that_ended_is_told_the_same_later(file: Path) -> None:
    driven = seatrial.run(file)
    project = open_project(workspace.of_file(file))
    try:
        again = document(project, runs.get(project.ledger, str(driven.document["run"])))
    finally:
        project.ledger.close()
    assert again == driven.document

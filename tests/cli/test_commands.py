"""Every command: its help, its JSON, its exit codes, and what it must never do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import jsonschema
import pytest
import yaml

from seatrial import workspace
from seatrial.cli import ORDER, root
from seatrial.errors import FileError
from seatrial.registry import brakes
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Program, Project

MODEL = "ml_model_training_pipeline"
WORDS = [
    "check_schema", "check_distribution", "train", "register", "unit_tests", "integration_tests",
    "shadow_tests", "promote", "rollback_plan",
]  # fmt: skip


def _leaves(group: click.Group, *before: str) -> Iterator[tuple[str, ...]]:
    """The words of every command, of those inside groups as well."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, *before, name)
        else:
            yield (*before, name)


LEAVES = [*_leaves(root)]


@pytest.mark.parametrize("words", [*LEAVES, ("env",)], ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...], seatrial: Program) -> None:
    said = seatrial(*words, "--help")
    assert said.code == 0
    assert f"Example: seatrial {' '.join(words)}" in " ".join(said.out.split())
    assert ("--json" in said.out) == (words in LEAVES)


def test_help_lists_every_command(seatrial: Program) -> None:
    said = seatrial("--help")
    assert said.code == 0
    listed = [line.split()[0] for line in said.out.partition("Commands:")[2].splitlines() if line]
    assert listed == list(ORDER)


@pytest.mark.parametrize(
    "words",
    [
        ["runn"],
        ["run"],
        ["run", "pipeline.yaml", "--jsn"],
        ["promote", "m", "two"],
        ["env", "verfy", "m@1"],
        ["env", "verify"],
    ],
)
def test_a_wrong_command_line(words: list[str], founding: Project, seatrial: Program) -> None:
    said = seatrial(*words)
    assert said.code == 2
    assert said.err.strip()
    assert not said.out
    assert not founding.ledger.exists()


# init


def test_init_makes_a_project_that_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seatrial: Program
) -> None:
    monkeypatch.chdir(tmp_path)
    said = seatrial("init", "flights")
    assert said.code == 0
    assert "cd flights && seatrial run pipeline.yaml" in said.out
    assert Path("flights/.gitignore").read_text() == ".seatrial/\n"
    assert seatrial("check", "flights/pipeline.yaml").code == 0


def test_init_here_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seatrial: Program
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".gitignore").write_text("mine\n")
    assert seatrial("init").out.splitlines()[-1] == "next: seatrial run pipeline.yaml"
    assert Path(".gitignore").read_text() == "mine\n"


def test_init_refuses_to_overwrite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seatrial: Program
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    mine = tmp_path / "config" / "hyperparameters.yaml"
    mine.write_text("mine")
    said = seatrial("init")
    assert said.code == 2
    assert "config/hyperparameters.yaml is already there" in said.err
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == [mine]
    assert mine.read_text() == "mine"


# check, plan, schema


def test_check_of_a_good_file(founding: Project, seatrial: Program) -> None:
    said = seatrial("check", "pipeline.yaml")
    assert said.code == 0
    assert "no mistakes" in said.out
    told = seatrial("check", "pipeline.yaml", "--json").json
    assert told == {"file": "pipeline.yaml", "mistakes": []}
    assert not founding.ledger.exists()


def test_check_reads_no_rows(founding: Project, seatrial: Program) -> None:
    founding.write("data/training_data.csv", "a,b\n1\n1,2,3\n")
    assert seatrial("check", "pipeline.yaml").code == 0


def test_plan(founding: Project, seatrial: Program) -> None:
    said = seatrial("plan", "pipeline.yaml", "--set", "evaluate_model.unit_tests.runs=80")
    assert said.code == 0
    assert "smoke run on 80 rows" in said.out
    assert "with 400 rows accuracy must come out at" in said.out
    told = seatrial("plan", "pipeline.yaml", "--json").json
    assert set(told) == {"pipeline", "settings", "steps"}
    assert [step["step"].partition(".")[2] for step in told["steps"]] == WORDS
    assert all(set(step) == {"step", "parameters", "demands"} for step in told["steps"])
    assert told["settings"]["seed"] == 20130101
    assert not founding.ledger.exists()


def test_plan_refuses_as_check_does(founding: Project, seatrial: Program) -> None:
    founding.replace("- train:", "- trian:")
    assert seatrial("plan", "pipeline.yaml").code == 2


@pytest.fixture
def file_schema(seatrial: Program) -> dict[str, Any]:
    said = seatrial("schema")
    assert said.code == 0
    found: dict[str, Any] = said.json
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def _complaints(schema: dict[str, Any], text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


def test_the_schema_takes_the_founding_file(founding: Project, file_schema: dict[str, Any]) -> None:
    assert not _complaints(file_schema, founding.pipeline.read_text())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- train:", "- trian:"),
        ("model_type:", "modle_type:"),
        ("schedule:", "shedule:"),
        ("condition:", "conditions:"),
        ("runs: 50", "runs: many"),
        ("threshold: 0.1", "threshold: -0.1"),
        ("name: train_model", "name: Train Model"),
    ],
)
def test_the_schema_refuses(
    old: str, new: str, founding: Project, file_schema: dict[str, Any]
) -> None:
    founding.replace(old, new)
    assert _complaints(file_schema, founding.pipeline.read_text())


# run


@pytest.mark.usefixtures("founding")
def test_the_founding_file_is_delivered(seatrial: Program) -> None:
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 0
    told = said.json
    assert (told["state"], told["verdict"], told["errors"]) == ("finished", "pass", [])
    assert told["pipeline"] == MODEL
    assert told["production"] == {"before": None, "after": 1}
    assert set(told["model"]) == {"name", "version", "digest"}
    assert (told["model"]["name"], told["model"]["version"]) == (MODEL, 1)
    assert told["model"]["digest"].startswith("sha256:")
    assert [stage["name"] for stage in told["stages"]] == [
        "validate_data", "train_model", "evaluate_model", "deploy_model",
    ]  # fmt: skip
    assert [task["task"] for stage in told["stages"] for task in stage["tasks"]] == WORDS
    assert {stage["verdict"] for stage in told["stages"]} == {"pass"}
    assert "check_schema: pass" in said.err  # progress goes beside the document
    bound = told["stages"][2]["tasks"][1]["measures"][0]
    assert (bound["name"], bound["limit"], bound["n"]) == ("accuracy", 0.82, 400)
    assert bound["low"] >= 0.82
    assert seatrial("runs", told["run"], "--json").json == told


def test_a_run_of_the_same_is_told_apart(delivered: Project, seatrial: Program) -> None:
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 0
    assert said.json["production"] == {"before": 1, "after": 1}
    assert len(seatrial("models", "--json").json) == 1
    assert len(delivered.query("SELECT * FROM move WHERE channel = 'production'")) == 1


def test_a_gate_that_fails(third: Project, seatrial: Program) -> None:
    third.replace("performance_threshold: 0.82", "performance_threshold: 0.995")
    before = third.snapshot()
    said = seatrial("run", "pipeline.yaml")
    assert said.code == 1
    assert "fail: production stays at version 2" in said.out
    assert third.snapshot().channels == before.channels


def test_a_model_that_learned_nothing_is_stopped(founding: Project, seatrial: Program) -> None:
    header, *rows = founding.lines("data/training_data.csv")
    features = [row.rpartition(",")[0] for row in rows]
    targets = [row.rpartition(",")[2] for row in rows]
    shuffled = targets[1:] + targets[:1]  # every row has its neighbour's target
    pairs = zip(features, shuffled, strict=True)
    founding.write("data/training_data.csv", header + "".join(",".join(pair) for pair in pairs))
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 1
    assert said.json["verdict"] == "fail"
    assert said.json["production"] == {"before": None, "after": None}
    assert founding.query("SELECT * FROM channel WHERE channel = 'production'") == []


def test_a_shadow_test_without_a_gateway_stops(delivered: Project, seatrial: Program) -> None:
    delivered.replace("n_estimators: 20", "n_estimators: 25", "config/hyperparameters.yaml")
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 5
    assert said.json["state"] == "waiting"
    assert "no gateway is running" in said.json["errors"][0]
    tasks = [task for stage in said.json["stages"] for task in stage["tasks"]]
    states = {task["task"]: task["state"] for task in tasks}
    assert states["shadow_tests"] == "waiting"
    assert states["promote"] == "not_reached"
    [waiting] = seatrial("status", "--json").json["waiting"]
    assert waiting["step"] == "evaluate_model.shadow_tests"
    again = seatrial("run", "pipeline.yaml", "--json")
    assert (again.code, again.json["run"]) == (5, said.json["run"])  # resumed, not begun anew


def test_an_inconclusive_run_is_for_review(third: Project, seatrial: Program) -> None:
    third.replace("performance_threshold: 0.82", "performance_threshold: 0.92")
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 3
    assert (said.json["state"], said.json["verdict"]) == ("review", "inconclusive")
    assert said.json["production"] == {"before": 2, "after": 2}
    [review] = seatrial("status", "--json").json["reviews"]
    assert review["step"] == "evaluate_model.integration_tests"


# status, runs, models, history


@pytest.mark.usefixtures("founding")
def test_an_empty_project(seatrial: Program) -> None:
    assert "seatrial run pipeline.yaml" in seatrial("status").out
    assert seatrial("status", "--json").json == {
        "models": [],
        "waiting": [],
        "reviews": [],
        "trouble": [],
        "watches": [],
        "drift": [],
        "remarks": [],
        "held": [],
    }
    for command in ("runs", "models", "history"):
        said = seatrial(command, "--json")
        assert (said.code, said.json) == (0, [])
        assert seatrial(command).code == 0


@pytest.mark.usefixtures("third")
def test_status(seatrial: Program) -> None:
    told = seatrial("status", "--json").json
    assert set(told) == {
        "models",
        "watches",
        "drift",
        "remarks",
        "held",
        "waiting",
        "reviews",
        "trouble",
    }
    [drift] = told["drift"]
    assert (drift["model"], drift["version"], drift["verdict"]) == (MODEL, 2, None)
    [model] = told["models"]
    assert set(model) == {"name", "production", "staging", "since", "why"}
    assert (model["name"], model["production"], model["staging"]) == (MODEL, 2, 3)
    assert model["since"].endswith("+00:00")
    assert "accuracy" in model["why"]
    assert (told["waiting"], told["reviews"]) == ([], [])
    said = seatrial("status")
    assert said.code == 0
    assert MODEL in said.out


@pytest.mark.usefixtures("third")
def test_runs(seatrial: Program) -> None:
    told = seatrial("runs", "--json").json
    assert [run["verdict"] for run in told] == ["fail", "pass", "pass"]
    assert set(told[0]) == {"run", "pipeline", "started", "state", "verdict"}
    said = seatrial("runs", told[0]["run"])
    assert said.code == 0
    assert "evaluate_model.integration_tests" in said.out
    assert seatrial("runs", told[1]["run"].lower(), "--json").json["verdict"] == "pass"


@pytest.mark.usefixtures("third")
def test_models(seatrial: Program) -> None:
    told = seatrial("models", "--json").json
    keys = {"name", "version", "digest", "created", "channels", "judged_on"}
    assert all(set(m) == keys for m in told)
    assert [(m["version"], m["channels"]) for m in told] == [
        (1, []), (2, ["production"]), (3, ["staging"]),
    ]  # fmt: skip
    assert seatrial("models", MODEL, "--json").json == told
    said = seatrial("models")
    assert said.code == 0
    assert "trained_model_v3" in said.out


@pytest.mark.usefixtures("third")
def test_history(seatrial: Program) -> None:
    told = seatrial("history", "--json").json
    keys = {"at", "event", "model", "version", "by", "reason", "evidence"}
    assert all(set(m) == keys for m in told)
    assert [(m["event"], m["version"]) for m in told] == [("promote", 1), ("promote", 2)]
    assert all(m["by"].startswith("run ") for m in told)
    said = seatrial("history")
    assert said.code == 0
    assert said.out.count("promote") == 2


def test_the_project_is_found_from_below(
    third: Project, monkeypatch: pytest.MonkeyPatch, seatrial: Program
) -> None:
    monkeypatch.chdir(third.folder / "config")
    assert len(seatrial("models", "--json").json) == 3


@pytest.mark.parametrize(
    ("words", "says", "nearest"),
    [
        (["aprove", "01M842"], "no command 'aprove'", "approve"),
        (["runs", "nonsense"], "no run 'nonsense'", ""),
        (["runs", ""], "RUN is empty", ""),
        (["step", "", "train_model.train"], "RUN is empty", ""),
        (["models", "ml_model_trainig_pipeline"], "no model", MODEL),
        (["promote", "ml_model_trainig_pipeline", "--reason", "x"], "no model", MODEL),
        (["rollback", "ml_model_trainig_pipeline", "--reason", "x"], "no model", MODEL),
        (["promote", MODEL, "9", "--reason", "x"], "has no version 9", ""),
        (["rollback", MODEL, "3", "--reason", "x"], "was never in production", ""),
        (["promote", MODEL, "3", "--reason", " "], "a reason is needed", ""),
        (["cancel", "nonsense"], "no run 'nonsense'", ""),
        (["history", "--head", "0" * 64], "--verify", ""),
        (["history", "--head", ""], "--verify", ""),
        (["history", "--verify", "--head", "a7fb35cc"], "'a7fb35cc' is no head", ""),
        (["history", "--verify", "--head", ""], "is no head", ""),
        (["profile", "data/nothing.csv", "-o", "x.json"], "does not exist", ""),
    ],
)
def test_a_name_that_does_not_exist(
    words: list[str], says: str, nearest: str, third: Project, seatrial: Program
) -> None:
    before = third.snapshot()
    said = seatrial(*words)
    assert said.code == 2
    assert says in said.err
    assert not nearest or f"nearest: {nearest}" in said.err
    assert "Traceback" not in said.err
    assert third.snapshot() == before


# promote, rollback


@pytest.mark.usefixtures("third")
def test_promote_and_rollback_by_hand(seatrial: Program) -> None:
    promoted = seatrial("promote", MODEL, "--reason", "agreed with operations", "--json")
    assert promoted.code == 0
    assert set(promoted.json) == {"model", "version", "said"}
    assert (promoted.json["model"], promoted.json["version"]) == (MODEL, 3)
    assert "was: 2" in promoted.json["said"]
    back = seatrial("rollback", MODEL, "--reason", "complaints")
    assert back.code == 0
    assert "version 2 is in production (was: 3)" in back.out
    assert "itself rolled back" not in back.err
    further = seatrial("rollback", MODEL, "1", "--reason", "more complaints")
    assert further.code == 0
    told = seatrial("history", "--json").json
    assert [(m["event"], m["version"], m["reason"]) for m in told[2:]] == [
        ("promote", 3, "agreed with operations"),
        ("rollback", 2, "complaints"),
        ("rollback", 1, "more complaints"),
    ]
    assert not told[-1]["by"].startswith("run ")
    again = seatrial("rollback", MODEL, "--reason", "all but that")
    assert "note: it was itself rolled back on" in again.err
    assert ": more complaints" in again.err
    assert seatrial("history", "--verify").code == 0


def test_going_back_to_a_version_in_quarantine_asks_for_another(
    third: Project, seatrial: Program
) -> None:
    """Version 2 serves; version 1, the one before, is in quarantine."""
    opened = open_project(workspace.at(third.folder))
    files = opened.registry.manifest(opened.registry.version(MODEL, 1))["files"]
    assert isinstance(files, dict)
    opened.ledger.write(lambda t: brakes.quarantine(t, MODEL, 1, files["model.onnx"], "0.2 worse"))
    opened.ledger.close()
    before = third.snapshot()
    said = seatrial("rollback", MODEL, "--reason", "complaints")
    assert said.code == 2
    assert "is in quarantine" in said.err
    assert f"fix: name another that served: seatrial rollback {MODEL} VERSION" in said.err
    assert "--lift-quarantine" in seatrial("promote", MODEL, "1", "--reason", "x").err
    assert third.snapshot() == before


def test_promoting_what_serves_changes_nothing(third: Project, seatrial: Program) -> None:
    before = third.snapshot()
    said = seatrial("promote", MODEL, "2", "--reason", "again")
    assert said.code == 0
    assert "in production already" in said.out
    assert third.snapshot() == before


def test_rollback_without_a_previous_version(delivered: Project, seatrial: Program) -> None:
    before = delivered.snapshot()
    said = seatrial("rollback", MODEL, "--reason", "complaints")
    assert said.code == 2
    assert "no earlier production version" in said.err
    assert delivered.snapshot() == before


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_a_move_by_hand_needs_a_reason(command: str, third: Project, seatrial: Program) -> None:
    before = third.snapshot()
    said = seatrial(command, MODEL)
    assert said.code == 2
    assert "--reason" in said.err
    assert third.snapshot() == before


# cancel


@pytest.mark.usefixtures("delivered")
def test_cancel_an_ended_run(seatrial: Program) -> None:
    [run] = seatrial("runs", "--json").json
    said = seatrial("cancel", run["run"])
    assert said.code == 2
    assert "has ended already" in said.err
    assert seatrial("runs", "--json").json == [run]


def test_cancel_a_run_that_waits(delivered: Project, seatrial: Program) -> None:
    delivered.replace("n_estimators: 20", "n_estimators: 25", "config/hyperparameters.yaml")
    run = seatrial("run", "pipeline.yaml", "--json").json["run"]
    before = delivered.query("SELECT * FROM channel WHERE channel = 'production'")
    said = seatrial("cancel", run[:12].lower(), "--json")
    assert (said.code, said.json) == (0, {"run": run, "state": "finished"})
    assert delivered.query("SELECT * FROM channel WHERE channel = 'production'") == before
    told = seatrial("runs", run, "--json").json
    assert told["state"] == "finished"
    assert "cancelled by" in told["errors"][0]
    again = seatrial("run", "pipeline.yaml", "--json").json
    assert again["run"] != run


# history --verify


def test_an_intact_history(third: Project, seatrial: Program) -> None:
    told = seatrial("history", "--verify", "--json").json
    assert told["intact"] is True
    assert seatrial("history", "--verify", "--head", told["head"]).code == 0
    [(early,)] = third.query("SELECT hash FROM event WHERE seq = 3")
    assert seatrial("history", "--verify", "--head", early).code == 0


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE event SET body = replace(body, 'gates', 'men') WHERE body LIKE '%all gates%'",
        "UPDATE event SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 2",
        "UPDATE event SET kind = 'run_paused' WHERE seq = 4",
        "UPDATE event SET hash = prev WHERE seq = 5",
        "DELETE FROM event WHERE seq = 4",
        "UPDATE channel SET version = 1 WHERE channel = 'production'",
        "UPDATE version SET digest = 'sha256:0' WHERE version = 2",
        "UPDATE move SET reason = 'because' WHERE version = 2",
        "DELETE FROM move WHERE version = 2",
    ],
)
def test_an_edited_row_is_found(edit: str, third: Project, seatrial: Program) -> None:
    third.tamper(edit)
    said = seatrial("history", "--verify")
    assert said.code == 5
    assert "the ledger was edited" in said.err
    assert "ledger.db" in said.err
    assert len(said.err.splitlines()) <= 6
    as_json = seatrial("history", "--verify", "--json")
    assert (as_json.code, as_json.json["intact"]) == (5, False)


def test_a_cut_tail_is_found_by_its_head(third: Project, seatrial: Program) -> None:
    head = seatrial("history", "--verify", "--json").json["head"]
    # one who knows the tables puts them right too, so that the rest of the chain is whole
    third.tamper(
        "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event) AND kind = 'run_ended'",
        "UPDATE run SET state = 'running', verdict = NULL, ended = NULL"
        " WHERE id = (SELECT max(id) FROM run)",
    )
    assert seatrial("history", "--verify").code == 0
    said = seatrial("history", "--verify", "--head", head)
    assert said.code == 5
    assert "its tail was cut" in said.err
    assert head in said.err
    assert len(said.err.splitlines()) <= 6


def test_an_older_copy_of_the_ledger_is_found_by_its_head(
    third: Project, seatrial: Program
) -> None:
    copy = third.ledger.read_bytes()
    promoted = seatrial("promote", MODEL, "3", "--reason", "agreed with operations")
    assert promoted.code == 0
    head = seatrial("history", "--verify", "--json").json["head"]
    for file in third.ledger.parent.glob("ledger.db*"):
        file.unlink()
    third.ledger.write_bytes(copy)
    assert seatrial("history", "--verify").code == 0
    assert seatrial("history", "--verify", "--head", head).code == 5


def test_events_are_append_only(third: Project) -> None:
    columns = "seq, at, kind, body, prev, hash"
    with closing(sqlite3.connect(third.ledger)) as connection:
        for statement in (
            "UPDATE event SET at = ''",
            "DELETE FROM event",
            f"INSERT OR REPLACE INTO event SELECT {columns} FROM event WHERE seq = 1",  # noqa: S608
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


# gc


@pytest.mark.usefixtures("third")
def test_gc_keeps_what_is_needed(seatrial: Program) -> None:
    said = seatrial("gc", "--keep-days", "0", "--json")
    assert said.code == 0
    assert said.json == {"versions": [], "blobs": 0, "bytes": 0}
    # served, staged and previous versions are all whole still
    for number in ("3", "1"):
        assert seatrial("promote", MODEL, number, "--reason", "try it").code == 0
    assert seatrial("rollback", MODEL, "--reason", "and back").code == 0


def test_gc_drops_what_never_served(third: Project, seatrial: Program) -> None:
    third.replace("performance_threshold: 0.82", "performance_threshold: 0.99")
    third.replace("n_estimators: 30", "n_estimators: 33", "config/hyperparameters.yaml")
    assert seatrial("run", "pipeline.yaml").code == 1
    _make_old(third.folder / ".seatrial" / "blobs")
    kept = seatrial("gc", "--json")  # younger than 30 days
    assert kept.json["versions"] == []
    said = seatrial("gc", "--keep-days", "0", "--json")
    assert said.code == 0
    assert said.json["versions"] == [[MODEL, 3]]  # version 4 is staged now
    assert said.json["blobs"] > 0
    assert said.json["bytes"] > 0
    for number in ("1", "4", "2"):
        assert seatrial("promote", MODEL, number, "--reason", "try it").code == 0
    gone = seatrial("promote", MODEL, "3", "--reason", "try it")
    assert gone.code == 5
    assert "version 3" in gone.err
    assert [m["version"] for m in seatrial("models", "--json").json] == [1, 2, 3, 4]
    assert seatrial("history", "--verify").code == 0


def _make_old(folder: Path) -> None:
    """As if the blobs had been written last year: young ones may belong to a step under way."""
    for file in folder.rglob("*"):
        os.utime(file, (1e9, 1e9))


# profile, step


def test_profile_overwrites(founding: Project, seatrial: Program) -> None:
    before = (founding.folder / "baseline_distribution.json").read_bytes()
    words = ["profile", "data/training_data.csv", "-o", "baseline_distribution.json"]
    founding.write("baseline_distribution.json", "old")
    said = seatrial(*words)
    assert said.code == 0
    assert "1000 rows, 4 columns" in said.out
    assert (founding.folder / "baseline_distribution.json").read_bytes() == before
    told = seatrial(*words, "--json").json
    expected = {"file": "baseline_distribution.json", "rows": 1000, "columns": 4}
    assert told == {**expected, "notes": {}, "slices": [], "schema": None}
    assert not founding.ledger.exists()


def test_profile_of_bad_data_keeps_the_old_one(founding: Project, seatrial: Program) -> None:
    founding.write("data/training_data.csv", "a,b\n1\n")
    before = founding.snapshot()
    said = seatrial("profile", "data/training_data.csv", "-o", "baseline_distribution.json")
    assert said.code == 2
    assert "ragged" in said.err
    assert founding.snapshot() == before


def test_step_performs_one_step(delivered: Project, seatrial: Program) -> None:
    delivered.replace("n_estimators: 20", "n_estimators: 25", "config/hyperparameters.yaml")
    run = seatrial("run", "pipeline.yaml", "--json").json["run"]
    said = seatrial("step", run, "validate_data.check_schema", "--json")
    assert said.code == 0
    assert (said.json["run"], said.json["verdict"]) == (run, "pass")
    stuck = seatrial("step", run, "evaluate_model.shadow_tests")
    assert stuck.code == 5
    assert "no gateway is running" in stuck.err
    early = seatrial("step", run, "deploy_model.promote")
    assert early.code == 2
    assert "evaluate_model.shadow_tests comes first" in early.err
    misspelt = seatrial("step", run, "deploy_model.promot")
    assert misspelt.code == 2
    assert "nearest: deploy_model.promote" in misspelt.err
    assert delivered.query("SELECT version FROM channel WHERE channel = 'production'") == [(1,)]


def test_state_can_live_elsewhere(
    founding: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seatrial: Program
) -> None:
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "elsewhere"))
    assert seatrial("status", "--json").code == 0
    assert not founding.ledger.exists()
    assert (tmp_path / "elsewhere" / "ledger.db").exists()


@pytest.mark.usefixtures("delivered")
def test_an_argument_that_is_no_text_is_refused() -> None:
    words = (sys.executable, "-m", "seatrial", "rollback", "--reason", b"\xff")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("an argument is not valid UTF-8: '\\udcff'\n")


def test_debug_shows_the_traceback(founding: Project, seatrial: Program) -> None:
    shutil.rmtree(founding.folder / "data")
    with pytest.raises(FileError):
        seatrial("--debug", "check", "pipeline.yaml")
    assert json.loads(seatrial("check", "pipeline.yaml", "--json").out)["mistakes"]


@pytest.mark.slow
@pytest.mark.xdist_group("spark")  # not beside Spark, which takes every core from a live shadow
def test_the_demo_delivers_two_models_stops_three_and_takes_one_back(
    seatrial: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = seatrial("demo", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    verdicts = ["pass", "fail", "fail", "pass", "fail", "pass"]
    assert [run["verdict"] for run in told["runs"]] == verdicts
    assert [run["production"]["after"] for run in told["runs"]] == [1, 1, 1, 3, 3, 4]
    assert "test_who_leaves_an_hour_late_arrives_late" in said.err
    assert "On real water" in said.err
    assert ", 0 lost; " in said.err
    assert "known good: " in said.err
    assert "rolled back by the watch: " in said.err
    assert "version 3 answered again" in said.err
    assert "Who was in production when" in said.err
    assert Path(told["folder"]).is_relative_to(tmp_path)
    assert "the web page of all this, while it lasts: http://127.0.0.1:" in said.err
    report = Path(told["report"]).read_text(encoding="utf-8")
    assert told["runs"][3]["run"] in report
    assert report.startswith("<!doctype html>")

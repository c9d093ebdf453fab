"""Bad input through the command line: a clear error in six lines, and nothing is written."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program, Project, Said

pytestmark = pytest.mark.slow  # whole runs

RUN_KEYS = {"run", "pipeline", "state", "verdict", "model", "production", "errors", "stages"}
TASK_KEYS = {
    "task", "state", "verdict", "reason", "seconds", "waiting_until", "measures", "findings",
}  # fmt: skip
MEASURE_KEYS = {"name", "value", "low", "high", "limit", "direction", "n", "verdict"}
PLACE = re.compile(r"where: \S+\.yaml:\d+:\d+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """A text of a file of the founding project, replaced; and what the program says of it.

    Without ``old`` the whole file is written; without ``new`` too, it is removed.
    """

    old: str | None
    new: str | bytes | None
    says: str
    where: str
    nearest: str = ""
    file: str = "pipeline.yaml"

    def make(self, project: Project) -> None:
        if self.new is None:
            (project.folder / self.file).unlink()
        elif self.old is None:
            project.write(self.file, self.new)
        else:
            assert isinstance(self.new, str)
            project.replace(self.old, self.new, self.file)


TRAINING = "data/training_data.csv"
HYPERPARAMETERS = "config/hyperparameters.yaml"

IN_THE_FILE = {
    "not UTF-8": Change(None, b"name: caf\xe9\nstages: []\n", "not UTF-8", "pipeline.yaml:1:10"),
    "empty": Change(None, "", "", "pipeline.yaml:1:1"),
    "wrong indentation": Change(
        "          threshold: 0.1", "         threshold: 0.1", "indented", "pipeline.yaml:12:10"
    ),
    "parameters beside their word": Change(
        "          model_type: gradient_boosted\n"
        "          hyperparameters: config/hyperparameters.yaml\n"
        "          data: validated_training_data\n",
        "        model_type: gradient_boosted\n"
        "        hyperparameters: config/hyperparameters.yaml\n"
        "        data: validated_training_data\n",
        "not indented below the task 'train'",
        "pipeline.yaml:16:9",
    ),
    "a tab": Change("    tasks:\n      - train", "\ttasks:\n      - train", "tab", ":14:"),
    "unknown task": Change("- train:", "- trian:", "'trian'", "pipeline.yaml:15:9", "train"),
    "unknown key of a task": Change(
        "expected_columns:", "expected_colums:", "'expected_colums'", "pipeline.yaml:8:11",
        "expected_columns",
    ),
    "unknown key of a stage": Change(
        "    condition:", "    conditions:", "'conditions'", "pipeline.yaml:35:5", "condition"
    ),
    "unknown key at the top": Change(
        "schedule:", "shedule:", "'shedule'", "pipeline.yaml:2:1", "schedule"
    ),
    "unknown model type": Change(
        "gradient_boosted", "gradient_bosted", "'gradient_bosted'", "pipeline.yaml:16:",
        "gradient_boosted",
    ),
    "duplicate stage": Change(
        "- name: train_model", "- name: validate_data", "'validate_data'", "pipeline.yaml:13:"
    ),
    "duplicate key": Change(
        "schedule:", "name: again\nschedule:", "'name'", "pipeline.yaml:2:1"
    ),
    "condition with an unknown name": Change(
        "condition: all_previous_stages_passed", "condition: all_previous_stage_passed",
        "all_previous_stage_passed", "pipeline.yaml:35:", "all_previous_stages_passed",
    ),
    "condition with an unknown stage": Change(
        "condition: all_previous_stages_passed", "condition: stages.train_modle.passed",
        "train_modle", "pipeline.yaml:35:", "stages.train_model.passed",
    ),
    "condition with bad syntax": Change(
        "condition: all_previous_stages_passed", "condition: all_previous_stages_passed &&",
        "condition", "pipeline.yaml:35:",
    ),
    "condition that is no yes or no": Change(
        "condition: all_previous_stages_passed", "condition: 1 + 1",
        "no yes or no", "pipeline.yaml:35:",
    ),
    "threshold of the wrong type": Change(
        "performance_threshold: 0.82", "performance_threshold: high",
        "'high'", "pipeline.yaml:29:",
    ),
    "threshold in percent": Change(
        "performance_threshold: 0.82", "performance_threshold: 82",
        "between 0 and 1", "pipeline.yaml:29:",
    ),
    "threshold that is no number": Change(
        "performance_threshold: 0.82", "performance_threshold: .nan",
        "nan", "pipeline.yaml:29:",
    ),
    "threshold that cannot be reached": Change(
        "schedule:", "metric: neg_log_loss\nschedule:",
        "0.82 cannot be reached", "pipeline.yaml:30:",
    ),
    "drift threshold of the wrong sense": Change(
        "threshold: 0.1 #", "threshold: -0.1 #", "-0.1", "pipeline.yaml:12:"
    ),
    "drift threshold of the wrong type": Change(
        "threshold: 0.1 #", "threshold: [0.1] #", "0.1", "pipeline.yaml:12:"
    ),
    "rollback of the wrong sense": Change(
        "degradation > 0.05", "degradation < 0.05", "degradation < 0.05", "pipeline.yaml:42:",
        "degradation > 0.05",
    ),
    "rollback below zero": Change(
        "degradation > 0.05", "degradation > -0.05", "degradation > -0.05", "pipeline.yaml:42:",
        "degradation > 0.05",
    ),
    "hyperparameter file missing": Change(
        "config/hyperparameters.yaml", "config/hyperparameter.yaml",
        "config/hyperparameter.yaml", "pipeline.yaml:17:", "hyperparameters.yaml",
    ),
    "hyperparameter unknown": Change(
        "learning_rate:", "learning_rat:", "learning_rat", "hyperparameters.yaml",
        "learning_rate", HYPERPARAMETERS,
    ),
    "hyperparameter of the wrong type": Change(
        "learning_rate: 0.2", "learning_rate: fast", "fast", "hyperparameters.yaml",
        file=HYPERPARAMETERS,
    ),
    "hyperparameter file no YAML": Change(
        None, "a: [1\n", "", "hyperparameters.yaml:2:1", file=HYPERPARAMETERS
    ),
    "hyperparameter file not UTF-8": Change(
        None, b"a: 1\nnum_leaves: 7 # gr\xf6\xdfe\n", "UTF-8", "hyperparameters.yaml:2",
        file=HYPERPARAMETERS,
    ),
    "baseline missing": Change(
        None, None, "does not exist", "fix: make it: `seatrial profile data/training_data.csv"
        " -o baseline_distribution.json`", file="baseline_distribution.json",
    ),
    "baseline misspelt": Change(
        "baseline_distribution.json", "baseline_distributions.json", "does not exist",
        "pipeline.yaml:11:", "baseline_distribution.json",
    ),
    "baseline of another version": Change(
        '"version": 2', '"version": 3', "version 3", "pipeline.yaml:11:",
        file="baseline_distribution.json",
    ),
    "baseline that is no profile": Change(
        None, "[]", "is not a profile", "pipeline.yaml:11:", file="baseline_distribution.json"
    ),
    "baseline that is no JSON": Change(
        None, "{", "damaged", "pipeline.yaml:11:", file="baseline_distribution.json"
    ),
    "validated_ before a check": Change(
        "validated_training_data", "validated_validation_data",
        "validated_validation_data is used before a check", "pipeline.yaml:18:",
    ),
    "dataset missing": Change(None, None, "'training_data'", "pipeline.yaml:7:", file=TRAINING),
    "dataset misspelt": Change(
        "dataset: training_data\n          expected", "dataset: trainning_data\n          expected",
        "'trainning_data'", "pipeline.yaml:7:", "training_data.csv",
    ),
}  # fmt: skip


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", IN_THE_FILE)
def test_a_mistake_in_the_file(
    name: str, command: str, founding: Project, seatrial: Program
) -> None:
    change = IN_THE_FILE[name]
    change.make(founding)
    before = founding.snapshot()
    said = seatrial(command, "pipeline.yaml")
    _clear(said, 2)
    _told(said, change)
    assert founding.snapshot() == before
    assert not founding.ledger.exists()  # it was never begun


@pytest.mark.parametrize("name", IN_THE_FILE)
def test_a_mistake_in_the_file_as_json(name: str, founding: Project, seatrial: Program) -> None:
    change = IN_THE_FILE[name]
    change.make(founding)
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 2
    told = said.json
    assert set(told) == RUN_KEYS
    assert (told["run"], told["verdict"], told["model"], told["stages"]) == (None, None, None, [])
    assert told["production"] == {"before": None, "after": None}
    assert change.says in "\n".join(told["errors"])
    checked = seatrial("check", "pipeline.yaml", "--json")
    assert checked.code == 2
    assert any(change.says in mistake["what"] for mistake in checked.json["mistakes"])
    assert all(set(m) == {"what", "where", "nearest", "fix"} for m in checked.json["mistakes"])


@pytest.mark.parametrize("command", ["check", "run", "plan"])
@pytest.mark.parametrize(
    ("file", "says", "nearest"),
    [
        ("pipelin.yaml", "does not exist", "pipeline.yaml"),
        ("elsewhere/pipeline.yaml", "does not exist", ""),
        ("data", "is a folder", ""),
    ],
)
def test_no_such_file(
    file: str, says: str, nearest: str, command: str, founding: Project, seatrial: Program
) -> None:
    before = founding.snapshot()
    said = seatrial(command, file)
    _clear(said, 2)
    assert says in said.err
    assert file in said.err
    assert not nearest or f"nearest: {nearest}" in said.err
    assert founding.snapshot() == before
    assert not founding.ledger.exists()
    assert not (founding.folder / "elsewhere").exists()


def test_a_file_that_may_not_be_read(
    founding: Project, seatrial: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_path: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    # the tests may run as root, whom no mode of a file stops
    monkeypatch.setattr("pathlib.Path.read_bytes", refused)
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 2)
    assert "cannot read pipeline.yaml: Permission denied" in said.err
    assert not founding.ledger.exists()


HEADER = "feature_1,feature_2,feature_3,target\n"
ROWS = "0.1,0.2,0.3,1\n-0.1,0.2,0.4,0\n"
VALIDATION = "data/validation_data.csv"

IN_THE_DATA = {
    "empty": Change(None, "", "empty file", TRAINING, file=TRAINING),
    "header only": Change(None, HEADER, "header but no rows", TRAINING, file=TRAINING),
    "not UTF-8": Change(
        None, HEADER.encode() + b"0.1,0.2,caf\xe9,1\n", "not UTF-8", f"{TRAINING}:2", file=TRAINING
    ),
    "ragged": Change(
        None, HEADER + ROWS + "0.1,0.2,0\n", "expected 4 fields, got 3", f"{TRAINING}:4",
        file=TRAINING,
    ),
    "duplicate column names": Change(
        None, HEADER.replace("feature_2", "feature_1") + ROWS, "duplicate column name 'feature_1'",
        f"{TRAINING}, column 2", file=TRAINING,
    ),
    "target missing": Change(
        "target\n", "targte\n", "no target column", TRAINING, "targte", file=TRAINING
    ),
    "target all one class": Change(
        None, HEADER + "0.1,0.2,0.3,1\n0.2,0.2,0.1,1\n", "all one class",
        f"{TRAINING}, column 'target'", file=TRAINING,
    ),
    "target with nulls": Change(
        None, HEADER + ROWS + "0.1,0.2,0.3,\n", "no value in 1 of 3 rows, first in row 3",
        f"{TRAINING}, column 'target'", file=TRAINING,
    ),
    "no Parquet": Change(
        "stages:", "datasets:\n  training_data: {path: pipeline.yaml}\nstages:",
        "unknown kind of file '.yaml'", "pipeline.yaml",
    ),
    "validation: target missing": Change(
        "target\n", "targte\n", "no target column", VALIDATION, "targte", file=VALIDATION
    ),
    "validation: target with nulls": Change(
        None, HEADER + ROWS + "0.1,0.2,0.3,\n", "no value in 1 of 3 rows, first in row 3",
        f"{VALIDATION}, column 'target'", file=VALIDATION,
    ),
    "validation: header only": Change(
        None, HEADER, "header but no rows", VALIDATION, file=VALIDATION
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_THE_DATA)
def test_data_that_cannot_be_read(name: str, delivered: Project, seatrial: Program) -> None:
    change = IN_THE_DATA[name]
    change.make(delivered)
    before = delivered.snapshot()
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 2)
    _told(said, change)
    assert "production stays at version 1" in said.out
    assert delivered.snapshot() == before
    as_json = seatrial("run", "pipeline.yaml", "--json")
    assert as_json.code == 2
    told = _every_key(as_json)
    assert change.says in "\n".join(told["errors"])
    assert (told["state"], told["verdict"], told["model"]) == ("finished", None, None)
    assert told["production"] == {"before": 1, "after": 1}
    # the run is recorded
    assert seatrial("runs", told["run"], "--json").json["errors"] == told["errors"]
    assert seatrial("history", "--verify").code == 0


IN_THE_ROWS_TO_JUDGE_ON = {
    "text in a column of numbers": Change(
        None, HEADER + ROWS + "abc,0.2,0.3,1\n", "column 'feature_1' holds 'abc' where a number",
        VALIDATION, file=VALIDATION,
    ),
    "a feature is missing": Change(
        "feature_2", "feature_9", "'feature_2'", VALIDATION, "feature_9", file=VALIDATION
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_THE_ROWS_TO_JUDGE_ON)
def test_rows_that_the_model_cannot_read(name: str, delivered: Project, seatrial: Program) -> None:
    change = IN_THE_ROWS_TO_JUDGE_ON[name]
    change.make(delivered)
    before = delivered.snapshot()
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 2)
    _told(said, change)
    assert "production stays at version 1" in said.out
    assert delivered.snapshot() == before
    told = _every_key(seatrial("run", "pipeline.yaml", "--json"))
    assert change.says in "\n".join(told["errors"])


def test_a_mistake_in_data_needs_no_production(founding: Project, seatrial: Program) -> None:
    founding.write(TRAINING, HEADER)
    before = founding.snapshot()
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 2)
    assert "nothing is in production" in said.out
    assert founding.snapshot() == before


def test_a_baseline_of_other_columns(delivered: Project, seatrial: Program) -> None:
    delivered.write("other.csv", "apples,pears\n1,2\n3,4\n5,6\n")
    assert seatrial("profile", "other.csv", "-o", "baseline_distribution.json").code == 0
    before = delivered.snapshot()
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 2)
    assert "baseline_distribution.json" in said.err
    assert "apples" in said.err
    assert "seatrial profile" in said.err
    assert delivered.snapshot() == before


def test_a_ledger_that_is_not_ours(founding: Project, seatrial: Program) -> None:
    founding.ledger.parent.mkdir()
    with closing(sqlite3.connect(founding.ledger)) as connection:
        connection.execute("CREATE TABLE song (title TEXT)")
        connection.commit()
    _refused_ledger(founding, seatrial, "it belongs to another program")


def test_a_ledger_that_is_no_database(founding: Project, seatrial: Program) -> None:
    founding.ledger.parent.mkdir()
    founding.ledger.write_bytes(b"dear diary, " * 100)
    _refused_ledger(founding, seatrial, "not a ledger of seatrial")


def test_a_ledger_newer_than_we_know(delivered: Project, seatrial: Program) -> None:
    with closing(sqlite3.connect(delivered.ledger)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _refused_ledger(delivered, seatrial, "the ledger has version 99")


def _refused_ledger(project: Project, seatrial: Program, says: str) -> None:
    content, before = project.ledger.read_bytes(), project.snapshot_files()
    for words in (["run", "pipeline.yaml"], ["status"], ["history"], ["gc"]):
        said = seatrial(*words)
        _clear(said, 2)
        assert says in said.err
        assert "ledger.db" in said.err
    as_json = seatrial("run", "pipeline.yaml", "--json")
    assert (as_json.code, set(as_json.json)) == (2, RUN_KEYS)
    assert says in as_json.json["errors"][0]
    assert project.ledger.read_bytes() == content
    assert project.snapshot_files() == before


def test_a_damaged_blob(third: Project, seatrial: Program) -> None:
    [(digest,)] = third.query("SELECT digest FROM version WHERE version = 2")
    manifest = json.loads(_blob(third, digest))
    _spoil(third, manifest["files"]["model.onnx"])
    before = third.snapshot()
    # a new candidate, so that production must be loaded to compare with it
    third.replace("n_estimators: 30", "n_estimators: 35", HYPERPARAMETERS)
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 5)
    assert "version 2" in said.err
    assert "no longer matches its digest" in said.err
    assert "production stays at version 2" in said.out
    as_json = seatrial("run", "pipeline.yaml", "--json")
    assert as_json.code == 5
    told = _every_key(as_json)
    assert told["production"] == {"before": 2, "after": 2}
    assert "version 2" in told["errors"][0]
    assert _production(third) == 2
    assert third.snapshot().moves[: len(before.moves)] == before.moves


def test_a_damaged_blob_is_never_promoted_by_hand(third: Project, seatrial: Program) -> None:
    for number, words in ((3, ["promote", "3"]), (1, ["rollback"])):
        [(digest,)] = third.query(f"SELECT digest FROM version WHERE version = {number}")  # noqa: S608 - a number above
        _spoil(third, json.loads(_blob(third, digest))["files"]["model.onnx"])
        before = third.snapshot()
        command, *version = words
        said = seatrial(command, "ml_model_training_pipeline", *version, "--reason", "try it")
        _clear(said, 5)
        assert f"version {number}" in said.err
        assert "production is unchanged" in said.err
        assert third.snapshot() == before


def test_a_damaged_manifest(third: Project, seatrial: Program) -> None:
    [(digest,)] = third.query("SELECT digest FROM version WHERE version = 3")
    _spoil(third, digest)
    before = third.snapshot()
    said = seatrial("promote", "ml_model_training_pipeline", "3", "--reason", "try it")
    _clear(said, 5)
    assert "version 3" in said.err
    assert third.snapshot() == before


def test_a_missing_blob(third: Project, seatrial: Program) -> None:
    [(digest,)] = third.query("SELECT digest FROM version WHERE version = 1")
    _path(third, json.loads(_blob(third, digest))["files"]["model.onnx"]).unlink()
    before = third.snapshot()
    said = seatrial("rollback", "ml_model_training_pipeline", "--reason", "try it")
    _clear(said, 5)
    assert "version 1 is missing" in said.err
    assert third.snapshot() == before


def test_a_misspelt_expected_column_is_a_verdict(delivered: Project, seatrial: Program) -> None:
    delivered.replace("[feature_1, feature_2, feature_3]", "[feature_1, featur_2, feature_3]")
    before = delivered.snapshot()
    said = seatrial("run", "pipeline.yaml")
    assert said.code == 1
    assert "Traceback" not in said.out + said.err
    assert "expected column 'featur_2' is missing" in said.out
    assert "nearest column: feature_2" in said.out
    assert "training_data" in said.out
    assert "fail: production stays at version 1" in said.out
    assert delivered.snapshot() == before
    as_json = seatrial("run", "pipeline.yaml", "--json")
    assert as_json.code == 1
    told = _every_key(as_json)
    assert (told["state"], told["verdict"], told["errors"]) == ("finished", "fail", [])
    first, *others = [task for stage in told["stages"] for task in stage["tasks"]]
    assert (first["task"], first["state"], first["verdict"]) == ("check_schema", "done", "fail")
    assert first["findings"][0]["hint"] == "nearest column: feature_2"
    assert {(task["state"], task["verdict"]) for task in others} == {("not_reached", None)}
    assert seatrial("check", "pipeline.yaml").code == 0  # it reads no rows


def test_validated_needs_a_passing_check(founding: Project, seatrial: Program) -> None:
    founding.replace("[feature_1, feature_2, feature_3]", "[feature_1, featur_2, feature_3]")
    # a stage may be made to start after a failed check; the data is not validated all the same
    founding.replace(
        "- name: train_model",
        '- name: train_model\n    condition: "!stages.validate_data.passed"',
    )
    before = founding.snapshot()
    said = seatrial("run", "pipeline.yaml", "--json")
    assert said.code == 1
    told = _every_key(said)
    train = told["stages"][1]["tasks"][0]
    assert (train["task"], train["verdict"]) == ("train", "inconclusive")
    assert "not every check of it passed" in train["reason"]
    assert founding.snapshot() == before


def test_a_column_that_is_empty_in_the_validation_rows(
    founding: Project, seatrial: Program
) -> None:
    header, *rows = founding.lines(VALIDATION)
    without = [
        ",".join([row.split(",")[0], *row.split(",")[1:2], "", row.split(",")[3]]) for row in rows
    ]
    founding.write(VALIDATION, "".join([header, *without]))
    said = seatrial("run", "pipeline.yaml", "--set", "evaluate_model.unit_tests.runs=50")
    assert said.code in {0, 1, 3}, said.err  # judged, whatever it is worth without feature_3


def test_a_process_of_its_own_ends_with_the_same_code(founding: Project) -> None:
    founding.replace("- train:", "- trian:")
    command = [sys.executable, "-m", "seatrial", "run", "pipeline.yaml", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert set(json.loads(ended.stdout)) == RUN_KEYS
    assert "Traceback" not in ended.stderr


def test_several_mistakes_are_told_together(founding: Project, seatrial: Program) -> None:
    for name in (
        "unknown key at the top", "unknown key of a task", "hyperparameter unknown",
        "condition with an unknown name",
    ):  # fmt: skip
        IN_THE_FILE[name].make(founding)
    before = founding.snapshot()
    for command in ("check", "run"):
        said = seatrial(command, "pipeline.yaml")
        _clear(said, 2)
        assert len(said.mistakes) == 4
        for word in ("shedule", "expected_colums", "learning_rat", "all_previous_stage_passed"):
            assert word in said.err
    assert founding.snapshot() == before
    assert len(seatrial("run", "pipeline.yaml", "--json").json["errors"]) == 4


def test_five_mistakes_are_shown_and_the_rest_is_counted(
    founding: Project, seatrial: Program
) -> None:
    founding.replace("name: ml_model_training_pipeline", "\n".join(f"key_{i}: 1" for i in range(9)))
    said = seatrial("check", "pipeline.yaml")
    assert said.code == 2
    assert len(said.mistakes) == 6
    assert said.mistakes[-1] == ["… and 5 more"]  # the missing name is the tenth
    assert len(seatrial("check", "pipeline.yaml", "--json").json["mistakes"]) == 10


def test_mistakes_of_all_datasets_are_told_together(delivered: Project, seatrial: Program) -> None:
    delivered.write(TRAINING, HEADER + "1,2,3,0\n1,2,3\n")
    delivered.write(VALIDATION, "")
    said = seatrial("run", "pipeline.yaml")
    _clear(said, 2)
    ragged, empty = ("\n".join(lines) for lines in said.mistakes)
    assert f"{TRAINING}:3" in ragged
    assert VALIDATION in empty


@pytest.mark.parametrize(
    ("change", "says", "nearest"),
    [
        ("evaluate_model.unit_test.runs=80", "'evaluate_model.unit_test'",
         "evaluate_model.unit_tests"),
        ("evaluate_model.unit_tests.run=80", "'run'", "runs"),
        ("evaluate_model.unit_tests.runs=many", "'many'", ""),
        ("evaluate_model.unit_tests.runs=[1", "bracket", ""),
        ("nonsense", "'nonsense'", ""),
    ],
)  # fmt: skip
def test_a_mistaken_change(
    change: str, says: str, nearest: str, founding: Project, seatrial: Program
) -> None:
    for command in ("check", "run"):
        said = seatrial(command, "pipeline.yaml", "--set", change)
        _clear(said, 2)
        assert says in said.err
        assert "where: --set" in said.err
        assert not nearest or f"nearest: {nearest}" in said.err
    assert not founding.ledger.exists()


def _clear(said: Said, code: int) -> None:
    """An error as it must be: at most six lines a mistake, a place, no traceback."""
    assert said.code == code, said.err + said.out
    assert "Traceback" not in said.out + said.err
    mistakes = said.mistakes
    assert mistakes
    assert not said.err.startswith(" ")
    for lines in mistakes:
        assert len(lines) <= 6, lines
        assert any(line.startswith("  fix: ") for line in lines), lines
        assert any(line.startswith("  where: ") for line in lines), lines


def _told(said: Said, change: Change) -> None:
    about = ["\n".join(lines) for lines in said.mistakes]
    found = [text for text in about if change.says in text and change.where in text]
    assert found, said.err
    if change.nearest:
        assert any(f"nearest: {change.nearest}" in text for text in found), said.err


def _every_key(said: Said) -> dict[str, Any]:
    """The document of a run, every key of the contract present at every level."""
    told: dict[str, Any] = said.json
    assert set(told) == RUN_KEYS
    assert set(told["production"]) == {"before", "after"}
    tasks = 0
    for stage in told["stages"]:
        assert set(stage) == {"name", "verdict", "tasks"}
        for task in stage["tasks"]:
            tasks += 1
            assert set(task) == TASK_KEYS
            assert all(set(measure) == MEASURE_KEYS for measure in task["measures"])
            assert all(set(f) == {"what", "where", "hint"} for f in task["findings"])
    assert tasks >= 8
    return told


def _path(project: Project, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return project.folder / ".seatrial" / "blobs" / name[:2] / name


def _blob(project: Project, digest: str) -> bytes:
    content: bytes = _path(project, digest).read_bytes()
    return content


def _spoil(project: Project, digest: str) -> None:
    """Turn one bit over, as a bad disk would."""
    content = bytearray(_blob(project, digest))
    content[len(content) // 2] ^= 1
    _path(project, digest).write_bytes(content)


def _production(project: Project) -> int:
    [(version,)] = project.query("SELECT version FROM channel WHERE channel = 'production'")
    return int(version)

"""What an author reads back: the founding file without a mistake, all others with each."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.pipeline import DEFAULT_SEED, Watch
from seatrial.pipeline.read import read, read_file

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
HEAD = """\
name: demo
stages:
  - name: first
    tasks:
      - check_schema: {dataset: d}
"""
SECOND = HEAD + "  - name: second\n    tasks: [promote]\n"


def test_the_founding_file_reads_without_a_mistake() -> None:
    pipeline = read_file(FOUNDING)
    assert pipeline.mistakes == ()
    assert pipeline.digest == f"sha256:{hashlib.sha256(FOUNDING.read_bytes()).hexdigest()}"
    assert [task.address for task in pipeline.tasks] == [
        "validate_data.check_schema",
        "validate_data.check_distribution",
        "train_model.train",
        "train_model.register",
        "evaluate_model.unit_tests",
        "evaluate_model.integration_tests",
        "evaluate_model.shadow_tests",
        "deploy_model.promote",
        "deploy_model.rollback_plan",
    ]
    assert pipeline.schedule == "0 2 * * *"
    assert pipeline.model == pipeline.name == "ml_model_training_pipeline"
    assert pipeline.seed == DEFAULT_SEED
    assert pipeline.stages[3].condition is not None
    assert pipeline.tasks[0].parameters == {
        "dataset": "training_data",
        "expected_columns": ["feature_1", "feature_2", "feature_3"],
    }
    assert type(pipeline.tasks[1].parameters["threshold"]) is float


def test_every_parameter_knows_its_place() -> None:
    task = read(FOUNDING.read_text(), "pipeline.yaml").tasks[1]
    assert str(task.place) == "pipeline.yaml:9:9"
    assert str(task.where("threshold")) == "pipeline.yaml:12:11"
    assert str(task.where("nothing")) == "pipeline.yaml:9:9"
    listed = read(FOUNDING.read_text(), "pipeline.yaml").tasks[0]
    assert str(listed.where("expected_columns", 2)) == "pipeline.yaml:8:52"
    assert listed.where("expected_columns", 9) == listed.where("expected_columns")


# text, line:column, a part of the first line, the nearest known word
BAD = {
    "empty": ("", "1:1", "empty", ""),
    "comment only": ("# nothing\n", "1:1", "empty", ""),
    "a list": ("- a\n", "1:1", "not a list", ""),
    "a text": ("just text\n", "1:1", "mapping of keys", ""),
    "open bracket": ("name: [\n", "1:7", "bracket", ""),
    "open bracket, more below": ("a: [x\nb: c\n", "1:4", "bracket", ""),
    "open quote": ("name: 'x\nstages: []\n", "1:7", "quote", ""),
    "indentation": ("name: a\nstages:\n  - name: a\n   tasks:\n", "4:4", "indented", ""),
    "too deep": ("name: a\n  stages: []\n", "2:9", "already complete", ""),
    "tab": ("name: demo\n\tstages: x\n", "2:1", "tab", ""),
    "two colons": ("name: a: b\n", "1:8", "': '", ""),
    "control character": ("name: x\x07\n", "1:8", "control character", ""),
    "two documents": ("name: a\n---\nname: b\n", "2:1", "second document", ""),
    "old YAML": ("# x\n%YAML 1.9\n---\nname: a\n", "2:1", "unknown version", ""),
    "version in the middle": ("a: 1\n%YAML 1.9\n", "2:1", "unknown version", ""),
    "no anchor": ("name: *b\n", "1:7", "alias", ""),
    "endless": ("name: &a [*a]\n", "1:7", "nested", ""),
    "a tag": (HEAD + "metric: !!python/name:os.system r2\n", "6:9", "tag", ""),
    "key twice": (HEAD + "name: twice\n", "6:1", "'name' is given twice", ""),
    "unknown key": (HEAD + "modle: x\n", "6:1", "unknown key 'modle'", "model"),
    "bad name": (HEAD.replace("demo", "My Demo"), "1:1", "cannot be the name", "my_demo"),
    "name is a number": (HEAD.replace("demo", "5"), "1:1", "must be a text", ""),
    "no name": (HEAD.replace("name: demo\n", ""), "1:1", "no 'name'", ""),
    "no stages": ("name: demo\n", "1:1", "no 'stages'", ""),
    "stages a mapping": ("name: demo\nstages: {a: b}\n", "2:1", "must be a list", ""),
    "stages empty": ("name: demo\nstages: []\n", "2:1", "empty", ""),
    "stage a text": (HEAD + "  - x\n", "6:5", "a stage must be a mapping", ""),
    "stage without name": (HEAD + "  - tasks: [promote]\n", "6:5", "no name", ""),
    "stage name": (HEAD.replace("first", "1st"), "3:5", "'1st'", "_1st"),
    "stage twice": (SECOND.replace("second", "first"), "6:5", "second stage", ""),
    "stage key": (HEAD.replace("tasks", "taks"), "4:5", "unknown key 'taks'", "tasks"),
    "stage without tasks": (HEAD + "  - name: x\n", "6:5", "no tasks", ""),
    "tasks empty": (HEAD + "  - name: x\n    tasks: []\n", "7:5", "no tasks", ""),
    "tasks a text": (HEAD + "  - name: x\n    tasks: promote\n", "7:5", "must be a list", ""),
    "unknown task": (
        HEAD.replace("check_schema", "chek_schema"),
        "5:9",
        "unknown task",
        "check_schema",
    ),
    "task a number": (HEAD + "      - 5\n", "6:9", "a task must be a word", ""),
    "task not indented": (
        HEAD + "      - train:\n        data: d\n",
        "7:9",
        "not indented below",
        "",
    ),
    "two tasks in one": (
        HEAD + "      - train: {}\n        promote: {}\n",
        "7:9",
        "cannot be both",
        "",
    ),
    "parameters a list": (HEAD + "      - train: [a]\n", "6:9", "'key: value'", ""),
    "parameter a number": (HEAD + "      - train: {1: a}\n", "6:17", "called by a word", ""),
    "condition, later stage": (
        HEAD + "    condition: stages.first.passed\n",
        "6:5",
        "not run by then",
        "",
    ),
    "condition, unknown": (
        SECOND + "    condition: stages.frist.passed\n",
        "8:5",
        "unknown fact",
        "stages.first.passed",
    ),
    "condition, misspelt": (
        SECOND + "    condition: all_previous_stage_passed\n",
        "8:5",
        "unknown fact",
        "all_previous_stages_passed",
    ),
    "condition, syntax": (SECOND + '    condition: "true &&"\n', "8:5", "ends too early", ""),
    "condition, python": (SECOND + "    condition: true and true\n", "8:5", "not CEL", "&&"),
    "condition, a number": (SECOND + "    condition: 1 + 1\n", "8:5", "no yes or no", ""),
    "condition, dynamic": (SECOND + "    condition: dyn(true)\n", "8:5", "no yes or no", ""),
    "condition, not text": (SECOND + "    condition: true\n", "8:5", "must be a text", ""),
    "schedule, four": (HEAD + "schedule: 0 2 * *\n", "6:1", "4 fields", ""),
    "schedule, hour": (HEAD + "schedule: 0 25 * * *\n", "6:1", "25 is no hour", ""),
    "schedule, word": (HEAD + "schedule: 0 2 * * mno\n", "6:1", "mno is no weekday", "mon"),
    "schedule, never": (HEAD + "schedule: 0 2 31 4,6 *\n", "6:1", "never comes", ""),
    "schedule, alias": (HEAD + 'schedule: "@daily"\n', "6:1", "short names", '"0 0 * * *"'),
    "schedule, number": (HEAD + "schedule: 5\n", "6:1", "text in quotes", ""),
    "timezone": (HEAD + "timezone: Europe/Berln\n", "6:1", "time zone", "Europe/Berlin"),
    "timezone, a path": (HEAD + "timezone: ../../etc/passwd\n", "6:1", "time zone", ""),
    "overlap": (HEAD + "overlap: skp\n", "6:1", "cannot be 'skp'", "skip"),
    "catch_up": (HEAD + "catch_up: onse\n", "6:1", "cannot be 'onse'", "once"),
    "catch_up, boolean": (HEAD + "catch_up: true\n", "6:1", "cannot be true", ""),
    "problem": (HEAD + "problem: class\n", "6:1", "cannot be 'class'", "classes"),
    "seed, text": (HEAD + "seed: '5'\n", "6:1", "whole number", ""),
    "seed, boolean": (HEAD + "seed: true\n", "6:1", "whole number", ""),
    "seed, negative": (HEAD + "seed: -1\n", "6:1", "whole number", ""),
    "metric": (HEAD + "metric: [r2]\n", "6:1", "must be a text", ""),
    "model": (HEAD + "model: My-Model\n", "6:1", "name of a model", "my_model"),
    "nothing": (HEAD + "watch:\n", "6:1", "no value", ""),
    "datasets a list": (HEAD + "datasets: [a]\n", "6:1", "mapping of names", ""),
    "dataset name": (HEAD + "datasets:\n  A b: {}\n", "7:3", "name of a dataset", "a_b"),
    "dataset a text": (HEAD + "datasets:\n  a: x.csv\n", "7:3", "must be a mapping", ""),
    "dataset key": (HEAD + "datasets:\n  a: {taget: y}\n", "7:7", "unknown key", "target"),
    "dataset value": (HEAD + "datasets:\n  a: {target: 5}\n", "7:7", "must be a text", ""),
    "dataset list": (HEAD + "datasets:\n  a: {exclude: [a, 5]}\n", "7:7", "list of texts", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_says_what_where_the_nearest_word_and_the_fix(case: str) -> None:
    text, place, what, near = BAD[case]
    (mistake,) = read(text, "pipeline.yaml").mistakes
    assert mistake.where == f"pipeline.yaml:{place}"
    assert what in mistake.what
    assert mistake.nearest == near
    assert mistake.fix
    assert len(str(mistake).splitlines()) <= 6


def test_a_syntax_mistake_shows_its_line() -> None:
    (mistake,) = read("name: a\nstages:\n  - name: b\n   tasks:\n", "p.yaml").mistakes
    assert mistake.what.splitlines()[1:] == ["  |    tasks:", "  |    ^"]


def test_several_mistakes_are_told_together_in_the_order_of_the_file() -> None:
    text = SECOND.replace("check_schema", "chek_schema") + (
        "    condition: stages.frist.passed || nope\n"
        "    retries: 3\n"
        "seed: x\n"
        "overlap: wait\n"
        "seed: 1\n"
        "stagse: []\n"
    )
    mistakes = read(text, "p.yaml").mistakes
    assert [mistake.where for mistake in mistakes] == [
        f"p.yaml:{place}" for place in ("5:9", "8:5", "8:5", "9:5", "10:1", "11:1", "12:1", "13:1")
    ]


def test_every_repeated_key_is_told_and_the_first_counts() -> None:
    pipeline = read(HEAD + "seed: 1\nseed: 2\nmetric: r2\nmetric: f1\n", "p.yaml")
    assert [mistake.where for mistake in pipeline.mistakes] == ["p.yaml:7:1", "p.yaml:9:1"]
    assert (pipeline.seed, pipeline.metric) == (1, "r2")


def test_what_is_readable_is_kept_beside_the_mistakes() -> None:
    pipeline = read(SECOND + "      - {}\nseed: x\nmetric: r2\n".replace("      - {}\n", ""), "p")
    assert [stage.name for stage in pipeline.stages] == ["first", "second"]
    assert pipeline.metric == "r2"
    assert pipeline.seed == DEFAULT_SEED
    assert len(pipeline.mistakes) == 1


def test_a_bare_word_has_no_parameters_and_a_repeated_word_is_numbered() -> None:
    tasks = read(
        "name: a\nstages: [{name: s, tasks: [promote, promote, {promote: }]}]\n", "p"
    ).tasks
    assert [task.address for task in tasks] == ["s.promote", "s.promote-2", "s.promote-3"]
    assert all(task.parameters == {} for task in tasks)


def test_values_are_plain() -> None:
    written = "{a: 0x1F, b: 1_000, c: 1e3, d: yes, e: ~, f: 2020-01-31, g: true, h: '1', i: .inf}"
    (task,) = read(f"name: a\nstages: [{{name: s, tasks: [{{promote: {written}}}]}}]\n", "p").tasks
    plain = {
        "a": 31,
        "b": 1000,
        "c": 1000.0,
        "d": "yes",
        "e": None,
        "f": "2020-01-31",
        "g": True,
        "h": "1",
        "i": float("inf"),
    }
    assert task.parameters == plain
    assert {key: type(value) for key, value in task.parameters.items()} == {
        key: type(value) for key, value in plain.items()
    }


def test_anchors_and_merges_work() -> None:
    pipeline = read(
        "name: a\nstages:\n  - name: s\n    tasks:\n      - train: &t {data: d, model_type: m}\n"
        "      - train: {<<: *t, data: other}\n",
        "p",
    )
    assert pipeline.mistakes == ()
    assert pipeline.tasks[1].parameters == {"data": "other", "model_type": "m"}


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefg", "bcdefgh")]  # noqa: B905
    (mistake,) = read("\n".join(lines), "p.yaml").mistakes
    assert "100000 values" in mistake.what


def test_datasets_may_say_less_than_everything() -> None:
    written = "datasets: {a: {target: late, key: x, exclude: z}, b: {path: b.csv}}\n"
    pipeline = read(HEAD + written, "p")
    assert pipeline.mistakes == ()
    assert pipeline.datasets["a"] == {"target": "late", "key": "x", "exclude": "z"}


def test_every_setting_is_read() -> None:
    pipeline = read(
        HEAD + "model: m\nmetric: roc_auc\nproblem: classes\ntimezone: Europe/Berlin\n"
        "overlap: queue\ncatch_up: once\nseed: 7\nwatch: {hours: 24}\n"
        "schedule: '*/5 1-5 * jan mon'\n",
        "p",
    )
    assert pipeline.mistakes == ()
    assert (pipeline.model, pipeline.metric, pipeline.problem) == ("m", "roc_auc", "classes")
    assert (pipeline.timezone, pipeline.overlap, pipeline.catch_up) == (
        "Europe/Berlin",
        "queue",
        "once",
    )
    assert pipeline.watch == Watch(hours=24)
    assert str(pipeline.where("watch", "hours")) == "p:13:9"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    text = FOUNDING.read_text()
    assert read("\ufeff" + text.replace("\n", "\r\n"), "p").mistakes == ()


def test_importing_the_reader_loads_no_parser() -> None:
    code = (
        "import sys, seatrial.pipeline.read\n"
        "heavy = {'ruamel.yaml', 'cel_expr_python', 'numpy', 'croniter', 'msgspec'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

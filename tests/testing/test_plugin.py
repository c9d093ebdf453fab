"""The fixtures of the pytest plugin: alone with plain `pytest`, and in a run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import seatrial

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.slow  # processes of their own

REPOSITORY = Path(__file__).parents[2]
GUIDE = REPOSITORY / "docs" / "guides" / "model_tests_in_pytest.md"


@dataclass(frozen=True, slots=True)
class Said:
    """What pytest said: per test its outcome, and what it printed."""

    outcomes: Mapping[str, tuple[str, str]]
    output: str

    @property
    def words(self) -> dict[str, str]:
        return {name: outcome for name, (outcome, _) in self.outcomes.items()}

    def why(self, name: str) -> str:
        return self.outcomes[name][1]


def _pytest(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Said:
    """Plain pytest, as a person types it in a folder; only this environment's plugin of ours."""
    report = folder.parent / f"{folder.name}.xml"
    report.unlink(missing_ok=True)
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "seatrial", f"--junitxml={report}", *options],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    outcomes: dict[str, tuple[str, str]] = {}
    for case in ET.parse(report).iter("testcase") if report.exists() else ():  # noqa: S314
        found: Any = next(iter(case), None)
        word = "passed" if found is None else found.tag
        why = "" if found is None else f"{found.get('message')}\n{found.text}"
        outcomes[str(case.get("name"))] = (word, why)
    return Said(outcomes, told.stdout + told.stderr)


def _with_tests(folder: Path, source: str, name: str = "test_model.py") -> Path:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / name).write_text(source)
    return folder


def _example() -> str:
    (text,) = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return str(text)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def _delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The flights example with the guide's tests, after one run; and what the run said."""
    folder = tmp_path_factory.mktemp("delivered") / "flights"
    shutil.copytree(REPOSITORY / "examples" / "flights", folder)
    _with_tests(folder, _example())
    driven = seatrial.run(folder / "pipeline.yaml")
    assert driven.exit_code == 0, driven.document
    return folder, driven.document


@pytest.fixture
def delivered(_delivered: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy of it without tests."""
    copy = Path(shutil.copytree(_delivered[0], tmp_path / "flights"))
    shutil.rmtree(copy / "tests")
    return copy


def _unit_tests(document: dict[str, Any]) -> Any:
    tasks = [task for stage in document["stages"] for task in stage["tasks"]]
    return next(task for task in tasks if task["task"] == "unit_tests")


def test_the_guides_example_in_a_run(_delivered: tuple[Path, dict[str, Any]]) -> None:  # noqa: PT019
    task = _unit_tests(_delivered[1])
    assert task["verdict"] == "pass"
    assert task["reason"].endswith("7 tests of tests/ pass, 1 skipped")


def test_the_guides_example_alone(_delivered: tuple[Path, dict[str, Any]]) -> None:  # noqa: PT019
    folder = _delivered[0]
    before = {file for file in folder.rglob("*") if "__pycache__" not in file.parts}
    said = _pytest(folder, "-p", "no:cacheprovider")
    words = dict(said.words)
    assert words.pop("test_it_is_no_worse_than_what_serves") == "skipped"
    assert "are the same model" in said.why("test_it_is_no_worse_than_what_serves")
    assert set(words.values()) == {"passed"}, said.output
    assert len(words) == 7
    after = {file for file in folder.rglob("*") if "__pycache__" not in file.parts}
    assert after - before <= {folder / ".seatrial" / f"ledger.db-{end}" for end in ("shm", "wal")}


RIGHT = """
import numpy as np
import pandas
import pytest


def test_every_form_of_rows_gives_the_same_answers(seatrial_model, seatrial_dataset):
    rows = seatrial_dataset("validated_validation_data")
    labels = seatrial_model.predict(rows)
    assert labels.shape == (2500,) == rows.labels.shape
    assert rows.rows == len(rows)
    frame = rows.to_pandas()
    assert "late" in frame
    for form in (rows.features, {n: v.tolist() for n, v in rows.features.items()}, frame):
        assert (seatrial_model.predict(form) == labels).all()
    chosen = frame.convert_dtypes()
    assert (seatrial_model.predict(chosen) == labels).all()
    assert (seatrial_model.predict(rows.part(labels == 1)) == 1).all()
    assert seatrial_model.predict_proba(rows).shape == (2500, 2)


def test_missing_values_of_every_kind(seatrial_model, seatrial_dataset):
    rows = seatrial_dataset("validation_data").part(np.arange(2))
    gone = {**rows.features, "carrier": np.array(["", ""], dtype=object),
            "dep_delay": np.full(2, np.nan)}
    expected = seatrial_model.predict_proba(gone)
    for missing in (None, float("nan"), pandas.NA):
        frame = rows.to_pandas()
        frame["carrier"] = pandas.Series([missing] * 2, dtype=object)
        frame["dep_delay"] = pandas.Series([missing] * 2, dtype=object)
        assert (seatrial_model.predict_proba(frame) == expected).all()
    lists = {**gone, "carrier": [None, None], "dep_delay": [None, None]}
    assert (seatrial_model.predict_proba(lists) == expected).all()


def test_one_row(seatrial_model, seatrial_dataset):
    rows = seatrial_dataset("validation_data")
    row = rows.to_pandas().iloc[3].to_dict()
    assert seatrial_model.predict_row(**row) == seatrial_model.predict(row)[0]
    assert seatrial_model.predict_row(**row) == seatrial_model.predict(rows)[3]


def test_where(seatrial_dataset):
    rows = seatrial_dataset("validation_data")
    jfk = rows.where(origin="JFK")
    assert set(jfk.features["origin"]) == {"JFK"}
    assert len(jfk.where(late=1)) == int(jfk.labels.sum())
    both = rows.where(origin=["JFK", "LGA"], day=(1, 2))
    assert set(both.features["day"]) == {1, 2}
    assert len(rows) == sum(len(rows.where(origin=o)) for o in ("EWR", "JFK", "LGA"))


def test_who_it_is(seatrial_model, seatrial_production):
    assert (seatrial_model.name, seatrial_model.version) == ("flights_late", 1)
    assert str(seatrial_production) == "flights_late version 1"
    assert seatrial_model.signature.classes == (0, 1)


def test_a_margin_lets_a_little_worse_through(seatrial_model, assert_better_than):
    measure = assert_better_than(seatrial_model, 0.8)
    assert measure.low <= measure.value <= measure.high
"""

NOT_PROVEN = (
    r"not proven that accuracy of flights_late version 1 is at least 0\.87: it is 0\.8\d+ on 2500"
    r" rows of validation_data \(between 0\.\d+ and 0\.\d+\); \d+ more labelled rows would"
)
WRONG = {
    "test_too_much": (
        "assert_better_than(seatrial_model, 0.87)",
        NOT_PROVEN,
    ),
    "test_false": (
        "assert_better_than(seatrial_model, 0.99, metric='roc_auc')",
        r"it is not true that roc_auc of flights_late version 1 is at least 0\.99: it is 0\.",
    ),
    "test_seen": (
        "assert_better_than(seatrial_model, 0.5, on='training_data')",
        "nothing is proven: flights_late version 1 was trained on training_data",
    ),
    "test_metric_of_numbers": (
        "assert_better_than(seatrial_model, 0.5, metric='r2')",
        "r2 is a metric for numbers, and the target of validation_data is classes",
    ),
    "test_unknown_metric": (
        "assert_better_than(seatrial_model, 0.5, metric='acuracy')",
        "accuracy",
    ),
    "test_margin_of_a_number": (
        "assert_better_than(seatrial_model, 0.8, margin=0.1)",
        r"`margin` is for the comparison with a model\n.*such as 0\.7",
    ),
    "test_negative_margin": (
        "assert_better_than(seatrial_model, seatrial_model, margin=-0.1)",
        r"a margin of -0\.1 is below 0",
    ),
    "test_nothing": ("assert_better_than(seatrial_model, None)", "not than None"),
    "test_no_such_rows": (
        "seatrial_dataset('validation_data').where(origin='JFKK')",
        r"no row of .* has origin = 'JFKK'\n(.*\n)*.*nearest: JFK\n.*there are: EWR, JFK, LGA",
    ),
    "test_no_such_number": (
        "seatrial_dataset('validation_data').where(month=[5, 6])",
        r"has month = \[5, 6\]\n(.*\n)*.*there are: 4\b",
    ),
    "test_no_row_with_both": (
        "seatrial_dataset('validation_data').where(carrier='HA', origin='LGA')",
        "no row of validation_data has carrier = 'HA' and origin = 'LGA'",
    ),
    "test_no_such_column": (
        "seatrial_dataset('validation_data').where(orign='JFK')",
        r"no column 'orign'\n(.*\n)*.*nearest: origin",
    ),
    "test_no_such_dataset": (
        "seatrial_dataset('validation_dat')",
        r"dataset 'validation_dat' was not found(.*\n)*.*nearest: validation_data",
    ),
    "test_misspelt_column": (
        "seatrial_model.predict_row(dep_dely=3)",
        r"the column 'dep_delay' is missing\n.*nearest: dep_dely",
    ),
    "test_text_for_a_number": (
        "seatrial_model.predict(seatrial_dataset('validation_data').to_pandas().assign(dep_delay='soon'))",
        "column 'dep_delay' must hold numbers, got 'soon'",
    ),
    "test_no_columns": ("seatrial_model.predict([1, 2])", "list, which has no named columns"),
    "test_shared_rows": (
        "seatrial_dataset('validation_data').features['dep_delay'][0] = 1",
        "read-only",
    ),
    "test_shared_labels": ("seatrial_dataset('validation_data').labels[0] = 1", "read-only"),
}


def test_what_the_fixtures_offer(delivered: Path) -> None:
    said = _pytest(_with_tests(delivered, RIGHT))
    assert set(said.words.values()) == {"passed"}, said.output
    assert len(said.words) == 6


def test_what_is_wrong_is_told_at_the_line_of_the_test(delivered: Path) -> None:
    arguments = "seatrial_model, seatrial_dataset, assert_better_than"
    source = "".join(f"def {name}({arguments}):\n    {what}\n" for name, (what, _) in WRONG.items())
    said = _pytest(_with_tests(delivered, source))
    assert set(said.words) == set(WRONG)
    for line, (name, (_, message)) in enumerate(WRONG.items()):
        assert said.words[name] == "failure", name
        assert re.search(message, said.why(name)), said.why(name)
        # what people see last is their own line, not the inside of seatrial
        if "read-only" not in message and "where" not in WRONG[name][0]:
            assert f"tests/test_model.py:{2 * line + 2}: " in said.why(name), said.why(name)


@pytest.fixture(scope="module")
def _second(
    _delivered: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = Path(shutil.copytree(_delivered[0], tmp_path_factory.mktemp("second") / "flights"))
    (folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 1\nnum_leaves: 2\n")
    _with_tests(folder, "def test_a(seatrial_model): assert seatrial_model.version == 2\n")
    driven = seatrial.run(folder / "pipeline.yaml")
    assert _unit_tests(driven.document)["reason"].endswith("1 test of tests/ passes")
    assert driven.document["production"] == {"before": 1, "after": 1}
    return folder


@pytest.fixture
def second(_second: Path, tmp_path: Path) -> Path:
    """A second version, worse than the one in production: it stopped at the gate, in staging."""
    return Path(shutil.copytree(_second, tmp_path / "flights"))


def test_two_versions_are_compared_on_the_same_rows(second: Path) -> None:
    source = (
        "def test_worse(seatrial_model, seatrial_production, assert_better_than):\n"
        "    assert (seatrial_model.version, seatrial_production.version) == (2, 1)\n"
        "    assert_better_than(seatrial_model, seatrial_production)\n"
        "def test_better(seatrial_model, seatrial_production, assert_better_than):\n"
        "    assert_better_than(seatrial_production, seatrial_model, metric='roc_auc')\n"
        "def test_margin(seatrial_model, seatrial_production, assert_better_than):\n"
        "    assert_better_than(seatrial_model, seatrial_production, margin=0.5)\n"
    )
    said = _pytest(_with_tests(second, source))
    assert said.words == {"test_worse": "failure", "test_better": "passed", "test_margin": "passed"}
    assert re.search(
        r"it is not true that flights_late version 2 is at least as good as flights_late version 1"
        r" in accuracy: it is 0\.\d+ worse on the same 2500 rows of validation_data \(worse by ",
        said.why("test_worse"),
    )


@pytest.mark.parametrize(
    ("option", "version"),
    [
        ("1", 1),
        ("flights_late@1", 1),
        ("production", 1),
        ("flights_late@production", 1),
        ("staging", 2),
        (None, 2),
    ],
)
def test_which_version_is_tested_alone(second: Path, option: str | None, version: int) -> None:
    source = f"def test_a(seatrial_model): assert seatrial_model.version == {version}\n"
    _with_tests(second, source)
    if option is None:
        said = _pytest(second)
    elif "@" in option:
        (second / "pytest.ini").write_text(f"[pytest]\nseatrial_model = {option}\n")
        said = _pytest(second)
    else:
        said = _pytest(second, "--seatrial-model", option)
    assert said.words == {"test_a": "passed"}, said.output


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("flights_lat@1", "there is no model 'flights_lat'(.*\n)*.*nearest: flights_late"),
        ("flights_late@prodction", "no channel 'prodction'(.*\n)*.*nearest: production"),
        ("7", "7"),
    ],
)
def test_a_version_that_does_not_exist(delivered: Path, option: str, why: str) -> None:
    _with_tests(delivered, "def test_a(seatrial_model): pass\n")
    said = _pytest(delivered, "--seatrial-model", option)
    assert said.words == {"test_a": "error"}
    assert re.search(why, said.why("test_a")), said.output


def test_the_project_is_found_from_wherever_pytest_is_started(delivered: Path) -> None:
    (delivered.parent / "pytest.ini").write_text("[pytest]\n")
    _with_tests(
        delivered,
        "def test_a(seatrial_model, seatrial_dataset): seatrial_dataset('training_data')\n",
    )
    said = _pytest(delivered.parent, "flights/tests")
    assert said.words == {"test_a": "passed"}, said.output


def test_the_state_of_the_project_may_be_elsewhere(delivered: Path) -> None:
    (delivered / ".seatrial").rename(delivered.parent / "state")
    _with_tests(delivered, "def test_a(seatrial_model): pass\n")
    home = {"SEATRIAL_HOME": str(delivered.parent / "state")}
    assert _pytest(delivered, environment=home).words == {"test_a": "passed"}
    assert not (delivered / ".seatrial").exists()


def test_the_pipeline_file_may_be_named_otherwise(delivered: Path) -> None:
    (delivered / "pipeline.yaml").rename(delivered / "nightly.yaml")
    source = "def test_a(seatrial_dataset): assert len(seatrial_dataset('april')) == 2500\n"
    _edit(delivered / "nightly.yaml", "  validation_data:\n", "  april:\n")
    _with_tests(delivered, source)
    (delivered / "pytest.ini").write_text("[pytest]\nseatrial_pipeline = nightly.yaml\n")
    assert _pytest(delivered / "tests").words == {"test_a": "passed"}
    (delivered / "pytest.ini").unlink()
    said = _pytest(delivered, "--seatrial-pipeline", "nightly.yaml")
    assert said.words == {"test_a": "passed"}
    # without: as the run of the version had it
    assert "april" in _pytest(delivered).why("test_a")


def test_without_a_version_tests_of_rows_run_and_tests_of_models_skip(flights: Path) -> None:
    source = (
        "def test_a(seatrial_model): pass\n"
        "def test_b(seatrial_production): pass\n"
        "def test_c(seatrial_dataset): assert seatrial_dataset('training_data').labels.sum()\n"
    )
    said = _pytest(_with_tests(flights, source))
    assert said.words == {"test_a": "skipped", "test_b": "skipped", "test_c": "passed"}
    assert "`seatrial run pipeline.yaml` makes one" in said.why("test_a")
    assert "nothing is in production yet" in said.why("test_b")
    assert not (flights / ".seatrial").exists()


def test_without_a_project_tests_of_models_skip(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    said = _pytest(_with_tests(folder, "def test_a(seatrial_model): pass\n"))
    assert said.words == {"test_a": "skipped"}
    assert not (folder / ".seatrial").exists()


def test_a_damaged_model_is_told(delivered: Path) -> None:
    for blob in (delivered / ".seatrial" / "blobs").glob("[0-9a-f][0-9a-f]/*"):
        blob.write_bytes(blob.read_bytes() + b"?")
    said = _pytest(_with_tests(delivered, "def test_a(seatrial_model): pass\n"))
    assert said.words == {"test_a": "error"}
    assert "a blob of flights_late version 1 no longer matches its digest" in said.why("test_a")


def test_rows_without_labels_have_features(delivered: Path) -> None:
    (delivered / "data" / "plain.csv").write_text("a,b\n1,x\n2,y\n")
    source = (
        "def test_a(seatrial_dataset):\n"
        "    rows = seatrial_dataset('plain')\n"
        "    assert rows.features['a'].tolist() == [1, 2]\n"
        "    assert rows.where(b='y').to_pandas()['a'].tolist() == [2]\n"
        "def test_b(seatrial_dataset): seatrial_dataset('plain').labels\n"
    )
    said = _pytest(_with_tests(delivered, source))
    assert said.words == {"test_a": "passed", "test_b": "failure"}
    assert "no target column" in said.why("test_b")


def test_numbers_have_no_probabilities(flights: Path) -> None:
    """Judged by a metric for numbers: how many minutes late."""
    file = flights / "pipeline.yaml"
    _edit(file, "target: late", "target: dep_delay\n    exclude: [late]")
    text = file.read_text()
    kept = (
        text[: text.index("stages:")]
        + text[text.index("stages:") :].partition("  - name: validate_data")[0]
    )
    file.write_text(
        f"{kept}  - name: train_model\n    tasks:\n"
        "      - train: {model_type: gradient_boosted, data: training_data,"
        " hyperparameters: config/hyperparameters.yaml}\n"
        "      - register: {}\n"
        "      - unit_tests: {tests: tests}\n"
    )
    source = (
        "def test_a(seatrial_model): seatrial_model.predict_proba({})\n"
        "def test_b(seatrial_model, seatrial_dataset):\n"
        "    rows = seatrial_dataset('validation_data')\n"
        "    assert seatrial_model.predict(rows).dtype == 'float32'\n"
        "def test_c(seatrial_model, assert_better_than):\n"
        "    assert_better_than(seatrial_model, -100, metric='neg_mean_absolute_error')\n"
        "def test_d(seatrial_model, seatrial_dataset):\n"
        "    rows = seatrial_dataset('validation_data')\n"
        "    seatrial_model.predict_proba(rows)\n"
    )
    driven = seatrial.run(_with_tests(flights, source) / "pipeline.yaml")
    task = _unit_tests(driven.document)
    assert task["reason"] == "2 of 4 tests of tests fail", json.dumps(task)
    assert "is missing" in task["findings"][0]["what"]
    assert "predicts numbers, which have no probabilities" in task["findings"][1]["what"]


def test_the_plugin_costs_other_projects_nothing(tmp_path: Path) -> None:
    heavy = ("numpy", "sqlalchemy", "msgspec", "pyarrow", "duckdb", "onnxruntime", "ruamel")
    look = f"import sys, seatrial.testing.plugin; print([m for m in {heavy!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
    (tmp_path / "work").mkdir()
    helped = _pytest(tmp_path / "work", "--help").output
    assert "seatrial: tests of models" in helped
    assert "--seatrial-model=MODEL@CHANNEL|MODEL@NUMBER" in helped
    assert "seatrial_pipeline" in helped


CERTAIN = """
import numpy as np

class Certain:
    def predict(self, features): return (features["x"] > 0).astype(int)
    def predict_proba(self, features):
        one = self.predict(features).astype(float)
        return np.column_stack([1 - one, one])

def build(): return Certain()
"""
OF_PICKLED = """
def test_the_sign_decides(seatrial_model):
    assert [seatrial_model.predict_row(x=x) for x in (-1.0, 2.0)] == [0, 1]

def test_the_rows(seatrial_model, assert_better_than):
    assert_better_than(seatrial_model, 0.9, on="later")
"""
PICKLED = """
name: certain
stages:
  - name: make
    tasks:
      - train: {data: rows, entrypoint: "fits:build", trust: pickle}
      - register: {}
      - unit_tests: {tests: tests}
"""


def test_a_version_that_is_kept_pickled(tmp_path: Path) -> None:
    folder = tmp_path / "certain"
    (folder / "data").mkdir(parents=True)
    for name, shift in (("rows", 0.0), ("later", 0.5)):
        rows = [f"{number + shift},{int(number + shift > 0)}" for number in range(-100, 100)]
        (folder / "data" / f"{name}.csv").write_text("\n".join(["x,target", *rows, ""]))
    (folder / "fits.py").write_text(CERTAIN)
    (folder / "pipeline.yaml").write_text(PICKLED)
    _with_tests(folder, OF_PICKLED)
    document = seatrial.run(folder / "pipeline.yaml").document
    task = _unit_tests(document)
    assert task["reason"] == "2 tests of tests pass", task["findings"]
    alone = _pytest(folder)
    assert set(alone.words.values()) == {"passed"}, alone.output

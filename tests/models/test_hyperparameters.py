"""Hyperparameters: read with their lines, and every mistake told."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from lightgbm.basic import _ConfigAliases

from seatrial.errors import FileError, Mistake
from seatrial.models import get, read_hyperparameters
from seatrial.models._lightgbm_check import canonical, check
from seatrial.models._lightgbm_parameters import FIXED, PARAMETERS, REASONS

if TYPE_CHECKING:
    from pathlib import Path


def test_every_parameter_and_alias_of_the_library_has_an_answer() -> None:
    library = _ConfigAliases._get_all_param_aliases()
    ours = {name: {name, *each.aliases} for name, each in PARAMETERS.items()}
    ours |= {name: {name, *aliases} for name, (_, aliases) in FIXED.items()}
    for name, aliases in library.items():
        if name in ours:
            assert ours[name] == set(aliases), name
        else:
            assert set(aliases) <= set(REASONS), name
    assert set(ours) <= set(library)
    assert set(REASONS) <= {alias for aliases in library.values() for alias in aliases}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learning_rate": "fast"}, "learning_rate must be a number, got 'fast'"),
        ({"learning_rate": True}, "learning_rate must be a number, got true"),
        ({"eta": 0}, "eta must be a number above 0, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number, got nan"),
        ({"n_estimators": 10.5}, "n_estimators must be an integer, got 10.5"),
        ({"n_estimators": 0}, "n_estimators must be an integer at least 1, got 0"),
        ({"n_estimators": 10**12}, "n_estimators must be an integer, got 1000000000000"),
        ({"num_leaves": 1}, "num_leaves must be an integer at least 2 and at most 131072, got 1"),
        ({"subsample": 1.5}, "subsample must be a number above 0 and at most 1, got 1.5"),
        ({"tweedie_variance_power": 2}, "at least 1 and below 2, got 2"),
        ({"extra_trees": "yes"}, "extra_trees must be true or false, got 'yes'"),
        ({"boosting": "rf"}, "boosting must be one of gbdt, gbrt, dart, goss, got 'rf'"),
        ({"boosting": ["gbdt"]}, "boosting must be one of"),
        ({"monotone_constraints": 1}, "must be a list of integers, one a column, got 1"),
        ({"monotone_constraints": [2]}, "one a column at least -1 and at most 1, got [2]"),
        ({"feature_contri": [None]}, "must be a list of numbers, one a column, got [None]"),
        ({"interaction_constraints": [1]}, "must be a list of lists of column numbers, got [1]"),
        ({"interaction_constraints": [["a"]]}, "must be a list of lists of column numbers"),
        ({"seed": 1}, "'seed' is not for this file"),
        ({"metric": "auc"}, "`metric:` of the pipeline"),
        ({"early_stopping_rounds": 5}, "no second data set"),
        ({"data": "x.csv"}, "the pipeline names the data"),
        ({"num_class": 3}, "it follows from the target column"),
        ({"linear_tree": True}, "linear_tree is always false, got true"),
        ({"device": "gpu"}, "device is always 'cpu', got 'gpu'"),
        ({"verbose": 1}, "verbose is always -1, got 1"),
        ({"eta": 0.1, "learning_rate": 0.1}, "eta and learning_rate are the same"),
        ({"objective": "mae"}, "objective 'mae' does not fit the problem, which is classes"),
        ({"objective": "lambdarank"}, "objective must be one of"),
    ],
)
def test_every_mistake_is_told_in_six_lines(given: dict[str, object], said: str) -> None:
    [mistake] = check(given, "hp.yaml", "classes")
    assert said in str(mistake)
    assert mistake.where == "hp.yaml"
    assert len(str(mistake).splitlines()) <= 6


def test_unknown_names_come_with_the_nearest() -> None:
    assert check({"num_leafs": 3}, "hp.yaml")[0].nearest == "num_leaf"
    assert check({"max_deph": 3}, "hp.yaml")[0].nearest == "max_depth"


def test_all_mistakes_are_told_together() -> None:
    assert len(check({"a": 1, "eta": "x", "seed": 2, "num_leaves": 31}, "hp.yaml")) == 3


def test_good_ones_pass_under_any_alias() -> None:
    given = {
        "n_estimators": 50,
        "eta": 0.1,
        "reg_lambda": 1,
        "n_jobs": -1,
        "verbosity": -1,
        "deterministic": True,
        "objective": "binary",
        "interaction_constraints": [[0, 1], [2]],
    }
    assert check(given, "hp.yaml", "classes") == []
    assert check({"objective": "mae"}, "hp.yaml") == []
    assert canonical({"eta": 0.1, "verbose": -1}) == {"learning_rate": 0.1}


def test_a_file_is_read_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "hp.yaml"
    file.write_text("# mine\nlearning_rate: 1e-1\n\nnum_leafs: 7\n", encoding="utf-8")
    read = read_hyperparameters(file)
    assert read == {"learning_rate": 0.1, "num_leafs": 7}
    assert type(read["learning_rate"]) is float
    [mistake] = get("gradient_boosted").check(read, "hp.yaml")
    assert mistake.where == "hp.yaml:4:1"


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "hp.yaml"
    file.write_text("# nothing yet\n", encoding="utf-8")
    assert read_hyperparameters(file) == {}


@pytest.mark.parametrize(
    ("content", "said", "line"),
    [
        (b"- a\n- b\n", "must be names with values, got list", ":1:1"),
        (b"fast\n", "must be names with values, got str", ":1:1"),
        (b"a: 1\nb: [1\n", "no YAML", ":3:1"),
        (b"a: 1\na: 2\n", "no YAML", ":2:1"),
        (b"a: 1\nb: \xff\n", "not UTF-8: byte 0xff", ":2"),
    ],
)
def test_a_bad_file_is_told_with_its_line(
    tmp_path: Path, content: bytes, said: str, line: str
) -> None:
    file = tmp_path / "hp.yaml"
    file.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read_hyperparameters(file)
    mistake: Mistake = caught.value.mistakes[0]
    assert said in mistake.what
    assert mistake.where == f"{file}{line}"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        read_hyperparameters(tmp_path / "none.yaml")
    with pytest.raises(FileError, match="cannot be read"):
        read_hyperparameters(tmp_path)


def test_an_unknown_model_type_is_told() -> None:
    with pytest.raises(FileError) as caught:
        get("gradient_bosted")
    assert caught.value.mistakes[0].nearest == "gradient_boosted"


def test_reading_hyperparameters_loads_nothing_heavy() -> None:
    code = (
        "import sys; import seatrial.models, seatrial.models._lightgbm_check; "
        "heavy = {'numpy', 'lightgbm', 'onnx', 'sklearn', 'onnxruntime'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

"""Hyperparameters of scikit-learn's models: every mistake is told, and the library agrees."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils._param_validation import InvalidParameterError

from seatrial.errors import FileError
from seatrial.models import Training, get, read_hyperparameters
from seatrial.models._sklearn_forest_parameters import FOREST
from seatrial.models._sklearn_linear_parameters import LINEAR

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.models._sklearn_check import Vocabulary

LIBRARY = {
    ("random_forest", "classes"): RandomForestClassifier,
    ("random_forest", "numbers"): RandomForestRegressor,
    ("linear", "classes"): LogisticRegression,
    ("linear", "numbers"): Ridge,
}


@pytest.mark.parametrize(
    ("vocabulary", "estimators"),
    [
        (FOREST, (RandomForestClassifier, RandomForestRegressor)),
        (LINEAR, (LogisticRegression, Ridge)),
    ],
)
def test_every_parameter_of_the_library_has_an_answer(
    vocabulary: Vocabulary, estimators: tuple[type, ...]
) -> None:
    library = {name for each in estimators for name in inspect.signature(each).parameters}
    ours = {*vocabulary.known, *vocabulary.fixed, *vocabulary.refused}
    # multi_class went with version 1.8; people still know it
    assert ours == library | ({"multi_class"} & ours)
    assert not {*vocabulary.known} & {*vocabulary.fixed, *vocabulary.refused}


@pytest.mark.parametrize(
    ("word", "problem", "given", "said"),
    [
        ("random_forest", "", {"n_estimators": 0}, "must be an integer at least 1, got 0"),
        ("random_forest", "", {"n_estimators": 10.0}, "must be an integer at least 1, got 10.0"),
        ("random_forest", "", {"n_estimators": True}, "an integer at least 1, got true"),
        ("random_forest", "", {"n_estimators": None}, "an integer at least 1, got null"),
        ("random_forest", "", {"n_estimators": 10**12}, "got 1000000000000"),
        ("random_forest", "", {"max_depth": "deep"}, "an integer at least 1 or null, got 'deep'"),
        (
            "random_forest",
            "",
            {"max_features": "sqr"},
            "a share with a decimal point above 0 and at most 1, sqrt, log2 or null, got 'sqr'",
        ),
        ("random_forest", "", {"max_features": 0}, "got 0"),
        ("random_forest", "", {"max_features": 1.5}, "got 1.5"),
        ("random_forest", "", {"min_samples_split": 1}, "an integer at least 2"),
        ("random_forest", "", {"min_samples_leaf": 1.0}, "above 0 and below 1, got 1.0"),
        ("random_forest", "", {"max_samples": float("nan")}, "got nan"),
        ("random_forest", "", {"ccp_alpha": float("inf")}, "at least 0 and finite, got inf"),
        ("random_forest", "", {"bootstrap": "yes"}, "must be true or false, got 'yes'"),
        ("random_forest", "", {"monotonic_cst": [2]}, "a list of integers, one a column"),
        ("random_forest", "", {"monotonic_cst": 1}, "a list of integers, one a column"),
        ("random_forest", "", {"n_jobs": 0}, "an integer at least 1, an integer at most -1"),
        ("random_forest", "", {"class_weight": {}}, "a weight for each class above 0"),
        ("linear", "", {"class_weight": {"a": 1, 2: 3}}, "a weight for each class above 0"),
        ("random_forest", "", {"class_weight": {"a": -1}}, "a weight for each class above 0"),
        ("random_forest", "", {"random_state": 1}, "'random_state' is not for this file"),
        ("random_forest", "", {"warm_start": True}, "warm_start is always false, got true"),
        ("random_forest", "", {"verbose": False}, "verbose is always 0, got false"),
        (
            "random_forest",
            "numbers",
            {"class_weight": "balanced"},
            "class_weight is for classes, and the problem is numbers",
        ),
        (
            "random_forest",
            "numbers",
            {"criterion": "gini"},
            "criterion 'gini' does not fit the problem, which is numbers",
        ),
        ("random_forest", "classes", {"criterion": "ginny"}, "gini, entropy or log_loss"),
        (
            "random_forest",
            "",
            {"bootstrap": False, "max_samples": 5},
            "max_samples needs bootstrap",
        ),
        ("linear", "", {"C": 0}, "C must be a number above 0, got 0"),
        ("linear", "", {"C": "strong"}, "C must be a number above 0, got 'strong'"),
        ("linear", "", {"alpha": -1}, "alpha must be a number at least 0 and finite, got -1"),
        ("linear", "numbers", {"C": 1.0}, "C is for classes, and the problem is numbers"),
        ("linear", "classes", {"alpha": 1.0}, "alpha is for numbers, and the problem is classes"),
        ("linear", "", {"max_iter": 0}, "max_iter must be an integer at least 1, got 0"),
        ("linear", "", {"class_weight": "balanced_subsample"}, "or null, got"),
        ("linear", "", {"penalty": "l1"}, "penalty is always 'l2', got 'l1'"),
        ("linear", "", {"l1_ratio": 0.5}, "l1_ratio is always 0, got 0.5"),
        ("linear", "", {"solver": "saga"}, "'solver' is not for this file"),
    ],
)
def test_every_mistake_is_told_in_six_lines(
    word: str, problem: str, given: dict[str, object], said: str
) -> None:
    [mistake] = get(word).check(given, "hp.yaml", problem)
    assert said in str(mistake)
    assert mistake.where == "hp.yaml"
    assert len(str(mistake).splitlines()) <= 6


@pytest.mark.parametrize(
    ("word", "written", "meant"),
    [
        ("random_forest", "n_estimator", "n_estimators"),
        ("random_forest", "max_deph", "max_depth"),
        ("random_forest", "monotone_cst", "monotonic_cst"),
        ("linear", "c", "C"),
        ("linear", "fit_intersept", "fit_intercept"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(word: str, written: str, meant: str) -> None:
    [mistake] = get(word).check({written: 1}, "hp.yaml")
    assert mistake.nearest == meant
    assert "scikit-learn.org" in mistake.fix


def test_an_unknown_word_comes_with_the_nearest() -> None:
    [mistake] = get("random_forest").check({"criterion": "squared_eror"}, "hp.yaml")
    assert mistake.nearest == "squared_error"


def test_all_mistakes_are_told_together_each_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "hp.yaml"
    file.write_text("max_depth: 0\nn_tree: 7\nbootstrap: false\nmax_samples: 0.5\n", "utf-8")
    found = get("random_forest").check(read_hyperparameters(file), "hp.yaml")
    assert [each.where for each in found] == ["hp.yaml:1:1", "hp.yaml:2:1", "hp.yaml:4:1"]


VALUES: dict[str, tuple[Any, ...]] = {
    "n_estimators": (1, 500, 0, -1, 1.0, None, "1"),
    "criterion": ("gini", "entropy", "log_loss", "squared_error", "absolute_error", "poisson", "x"),
    "max_depth": (None, 1, 30, 0, 2.0),
    "min_samples_split": (2, 0.5, 1.0, 1, 0.0, 1.5, None),
    "min_samples_leaf": (1, 0.5, 0.0, 1.0, 0, None),
    "min_weight_fraction_leaf": (0, 0.0, 0.5, 0.6, -0.1),
    "max_features": (1, 1.0, 0.3, "sqrt", "log2", None, 0, 0.0, 1.1, "auto"),
    "max_leaf_nodes": (None, 2, 1),
    "min_impurity_decrease": (0, 0.1, -0.1),
    "bootstrap": (True, False, "no"),
    "max_samples": (None, 1, 0.5, 1.0, 0, 0.0),  # above 1.0 only in newer versions
    "class_weight": ("balanced", "balanced_subsample", None, {0: 2.0}, "even"),
    "ccp_alpha": (0.0, 0.1, -1.0),
    "C": (0.1, 5, float("inf"), 0, -1.0, "x"),
    "alpha": (0, 0.5, 10, -1, "x"),
    "fit_intercept": (True, False, "x"),
    "tol": (1e-3, -1.0, "x"),
    "max_iter": (1, 100, -1, 1.5),
}


@pytest.mark.parametrize(("word", "problem"), LIBRARY)
def test_the_library_allows_what_we_allow_and_nothing_more(word: str, problem: str) -> None:
    estimator = LIBRARY[word, problem]
    vocabulary = FOREST if word == "random_forest" else LINEAR
    tried = 0
    for name in inspect.signature(estimator).parameters:
        if name not in vocabulary.known or name not in VALUES:
            continue
        if all(form.problem not in {"", problem} for form in vocabulary.known[name]):
            continue
        for value in VALUES[name]:
            try:
                estimator(**{name: value})._validate_params()
                allowed = True
            except InvalidParameterError:
                allowed = False
            assert (get(word).check({name: value}, "", problem) == []) is allowed, (name, value)
            tried += 1
    assert tried >= 7


def test_what_the_file_may_repeat_is_no_mistake() -> None:
    forest = {"verbose": 0, "oob_score": False, "warm_start": False, "n_jobs": -1}
    assert get("random_forest").check(forest, "hp.yaml") == []
    linear = {"penalty": "l2", "l1_ratio": 0.0, "dual": False, "class_weight": {"yes": 2}}
    assert get("linear").check(linear, "hp.yaml", "classes") == []


@pytest.mark.parametrize("word", ["random_forest", "linear"])
def test_weights_may_name_a_class_by_its_text_but_not_an_unknown_one(word: str) -> None:
    random = np.random.default_rng(1)
    features = {"x": random.normal(size=90).astype(np.float32)}
    target = (features["x"] + random.normal(size=90) > 0.5).astype(np.int64)

    def fitted(weights: object) -> bytes:
        training = Training(features, target, "classes", (0, 1), {"class_weight": weights}, 1)
        return get(word).fit(training).native()

    assert fitted({1: 5.0}) == fitted({"1": 5.0}) == fitted({True: 5.0}) == fitted({"true": 5.0})
    assert fitted({1: 5.0}) != fitted(None)
    with pytest.raises(FileError, match="class_weight names the class 'yes'"):
        fitted({"yes": 2.0})


@pytest.mark.parametrize("word", ["random_forest", "linear"])
def test_checking_loads_nothing_heavy(word: str) -> None:
    code = (
        f"import sys; from seatrial.models import get; get({word!r}).check({{'x': 1}}, 'hp'); "
        "heavy = {'lightgbm', 'onnx', 'sklearn', 'scipy', 'joblib'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

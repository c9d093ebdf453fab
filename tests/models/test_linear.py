"""Linear models: trained, kept and exported answer alike; what the fit is made of."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seatrial.errors import FormError
from seatrial.inference.matrix import Matrix
from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.models import Telling, Training, get
from seatrial.models._matrix import with_matrix_input

if TYPE_CHECKING:
    from seatrial.models import Fitted

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights" / "data"

Columns = dict[str, np.ndarray]


def named(matrix: np.ndarray) -> Columns:
    return {f"f{i}": column.copy() for i, column in enumerate(matrix.astype(np.float32).T)}


def holed(features: Columns, share: float = 0.1) -> Columns:
    rng = np.random.default_rng(5)
    return {
        name: np.where(rng.random(len(column)) < share, np.float32(np.nan), column)
        for name, column in features.items()
    }


def fit(
    features: Columns, target: np.ndarray, classes: tuple[int | str, ...] = (), **given: object
) -> Fitted:
    problem = "classes" if classes else "numbers"
    return get("linear").fit(Training(features, target, problem, classes, given, 1))


def prove(fitted: Fitted, judged: Columns) -> None:
    answer = fitted.predict(judged)
    assert answer.finite.all()
    exported = Model.load(fitted.to_onnx(), fitted.signature).predict(judged)
    assert answer.label.dtype == exported.label.dtype
    found = parity(answer, exported, tolerance=1e-6)
    assert found.ok, found
    restored = get("linear").restore(fitted.native(), fitted.signature)
    assert restored.native() == fitted.native()
    assert restored.to_onnx() == fitted.to_onnx()
    np.testing.assert_array_equal(answer.label, restored.predict(judged).label)


@pytest.mark.parametrize("missing_in_training", [True, False])
@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_diabetes])
def test_exported_answers_as_trained(load: Any, *, missing_in_training: bool) -> None:
    data = load()
    features = named(data.data)
    classes = () if load is load_diabetes else tuple(range(len(data.target_names)))
    fitted = fit(holed(features) if missing_in_training else features, data.target, classes)
    prove(fitted, holed(features))


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
def test_classes_are_those_of_standardised_logistic_regression(load: Any) -> None:
    data = load()
    features = named(data.data)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000, tol=1e-6))
    theirs.fit(np.column_stack([*features.values()]).astype(np.float64), data.target)
    classes = tuple(range(len(data.target_names)))
    answer = fit(features, data.target, classes, C=0.3, tol=1e-6).predict(features)
    expected = theirs.predict_proba(np.column_stack([*features.values()]).astype(np.float64))
    np.testing.assert_allclose(np.asarray(answer.probabilities), expected, atol=1e-4)


@pytest.mark.parametrize("alpha", [0, 0.01, 100.0])
def test_numbers_are_those_of_standardised_ridge_regression(alpha: float) -> None:
    data = load_diabetes()
    features = named(data.data)
    matrix = np.column_stack([*features.values()]).astype(np.float64)
    theirs = make_pipeline(StandardScaler(), Ridge(alpha=max(alpha, 1e-9))).fit(matrix, data.target)
    answer = fit(features, data.target, alpha=alpha).predict(features)
    np.testing.assert_allclose(answer.label, theirs.predict(matrix), rtol=1e-5)


def test_numbers_beside_text_are_the_exact_solution() -> None:
    rng = np.random.default_rng(4)
    words = rng.choice(np.array(["a", "b", "c"], dtype=object), 400)
    x = rng.normal(50, 9, 400).astype(np.float32)
    target = 3 * x + np.select([words == "a", words == "b"], [5.0, -2.0]) + rng.normal(size=400)
    design = np.column_stack(
        [(x.astype(float) - x.astype(float).mean()) / x.astype(float).std()]
        + [(words == word).astype(float) for word in "abc"]
    )
    centred = design - design.mean(axis=0)
    expected = np.linalg.solve(
        centred.T @ centred + 2.0 * np.eye(4), centred.T @ (target - target.mean())
    )
    fitted = fit({"x": x, "w": words}, target, alpha=2.0)
    answer = fitted.predict({"x": x, "w": words}).label
    np.testing.assert_allclose(answer, centred @ expected + target.mean(), rtol=1e-6)
    assert isinstance(fitted, Telling)
    assert fitted.findings == ()


@pytest.mark.parametrize("classes", [(), (0, 1), ("x", "y", "z")])
@pytest.mark.parametrize("mean", [1.7e9, -3e4, 0.0])
def test_a_large_mean_costs_no_digits(classes: tuple[Any, ...], mean: float) -> None:
    rng = np.random.default_rng(6)
    seconds = (mean + rng.normal(scale=3e4, size=500)).astype(np.float32)
    small = (1e-6 + rng.normal(scale=1e-9, size=500)).astype(np.float32)
    shown = (seconds.astype(float) - mean) / 3e4 + (small.astype(float) - 1e-6) / 1e-9
    target = shown * 1e6 if not classes else np.resize(classes, 500)
    if classes:
        target = np.array(classes, dtype=object if classes[0] == "x" else np.int64)[
            np.digitize(shown, np.linspace(-1, 1, len(classes) - 1))
        ]
    fitted = fit({"seconds": seconds, "small": small}, target, classes)
    prove(fitted, holed({"seconds": seconds, "small": small}))
    assert np.mean(fitted.predict({"seconds": seconds, "small": small}).label == target) > 0.9 or (
        np.corrcoef(fitted.predict({"seconds": seconds, "small": small}).label, target)[0, 1] > 0.99
    )


def test_that_a_number_is_missing_is_learned_when_training_shows_it() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=400).astype(np.float32)
    x[:200] = np.nan
    target = np.where(np.isnan(x), 100.0, 0.0)
    fitted = fit({"x": x}, target, alpha=0)
    answer = fitted.predict({"x": np.array([np.nan, 0.5], np.float32)}).label
    np.testing.assert_allclose(answer, [100.0, 0.0], atol=1e-3)
    prove(fitted, {"x": x})


def test_a_number_that_training_never_missed_is_the_median() -> None:
    x = np.array([1, 2, 3, 4, 100], np.float32)
    fitted = fit({"x": x}, x * 10.0, alpha=0)
    answer = fitted.predict({"x": np.array([np.nan, 3.0], np.float32)}).label
    np.testing.assert_allclose(answer, [30.0, 30.0], rtol=1e-5)


def test_an_unknown_word_weighs_what_words_do_on_average() -> None:
    words = np.array(["a"] * 30 + ["b"] * 10, dtype=object)
    target = np.where(words == "a", 1.0, 5.0)
    fitted = fit({"w": words}, target, alpha=1e-6)
    answer = fitted.predict({"w": np.array(["a", "b", "never seen", ""], dtype=object)}).label
    np.testing.assert_allclose(answer, [1.0, 5.0, 2.0, 2.0], atol=1e-4)
    prove(fitted, {"w": np.array(["a", "b", "never seen", "", None], dtype=object)})


def test_an_unknown_word_weighs_what_missing_ones_did_in_training() -> None:
    words = np.array(["a"] * 20 + [""] * 20, dtype=object)
    fitted = fit({"w": words}, np.where(words == "a", 1.0, 5.0), alpha=1e-6)
    answer = fitted.predict({"w": np.array(["a", "", "never seen"], dtype=object)}).label
    np.testing.assert_allclose(answer, [1.0, 5.0, 5.0], atol=1e-4)


def test_a_column_that_says_nothing_weighs_nothing() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=100).astype(np.float32)
    rest = {
        "constant": np.full(100, 0.1, np.float32),
        "missing": np.full(100, np.nan, np.float32),
        "empty": np.full(100, "", dtype=object),
    }
    fitted = fit({"x": x, **rest}, x * 2.0)
    other = {
        "constant": np.full(100, 7e8, np.float32),
        "missing": np.full(100, -5e8, np.float32),
        "empty": np.full(100, "never seen", dtype=object),
    }
    np.testing.assert_allclose(
        fitted.predict({"x": x, **rest}).label, fitted.predict({"x": x, **other}).label, atol=1e-9
    )
    prove(fitted, {"x": x, **other})
    alone = fit({"empty": rest["empty"]}, x > 0, (0, 1))
    prove(alone, {"empty": other["empty"]})


def test_nothing_but_words_as_features_and_as_classes() -> None:
    rng = np.random.default_rng(9)
    classes = tuple(f"class {i:02}" for i in range(33))
    labels = np.array([*classes, *rng.choice(classes, 400)], dtype=object)
    features = {
        "w": np.array([label[-1] for label in labels], dtype=object),
        "é<&>": rng.choice(np.array(["a", "b"], dtype=object), len(labels)),
    }
    fitted = fit(features, labels, classes)
    features["w"][::7] = "?"
    prove(fitted, features)


def _column(draw: st.DrawFn, rows: int) -> np.ndarray:
    kind = draw(st.sampled_from(["numbers", "constant", "missing", "words", "few"]))
    if kind == "words":
        words = st.sampled_from(["", "a", "ä", "b c", "z"])
        return np.array(draw(st.lists(words, min_size=rows, max_size=rows)), dtype=object)
    if kind in {"constant", "missing"}:
        return np.full(rows, 1e9 if kind == "constant" else np.nan, np.float32)
    wide = st.floats(width=32, allow_infinity=False)
    numbers = st.sampled_from([0.0, -0.0, 1.0, np.nan]) if kind == "few" else wide
    return np.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), dtype=np.float32)


@st.composite
def nasty(draw: st.DrawFn) -> tuple[Columns, np.ndarray, tuple[int | str, ...]]:
    rows = draw(st.integers(3, 30))
    features = {f"c{i}": _column(draw, rows) for i in range(draw(st.integers(1, 4)))}
    classes = draw(st.sampled_from([(), (0, 1), ("x", "y", "z")]))
    if not classes:
        finite = st.floats(-1e12, 1e12)
        return features, np.array(draw(st.lists(finite, min_size=rows, max_size=rows))), ()
    rest = draw(st.lists(st.sampled_from(classes), min_size=rows - 3, max_size=rows - 3))
    kind = object if classes[0] == "x" else np.int64
    return features, np.array([*(classes * 2)[:3], *rest], dtype=kind), classes


@settings(max_examples=60, deadline=None)
@given(nasty())
def test_whatever_the_columns_hold_all_forms_of_the_model_agree(
    made: tuple[Columns, np.ndarray, tuple[int | str, ...]],
) -> None:
    features, target, classes = made
    judged = {name: column.copy() for name, column in features.items()}
    for column in judged.values():
        if column.dtype != object:
            column[:2] = [np.inf, -3.4e38]
    prove(fit(features, target, classes), judged)


def test_an_infinite_number_in_training_is_told_with_its_place() -> None:
    x = np.arange(9, dtype=np.float32)
    x[4] = np.inf
    with pytest.raises(FormError, match="'x' holds an infinite number in row 4"):
        fit({"x": x, "y": np.arange(9, dtype=np.float32)}, np.arange(9.0))


def test_numbers_alone_can_be_fed_as_one_matrix() -> None:
    data = load_breast_cancer()
    features = named(data.data)
    fitted = fit(features, data.target, (0, 1))
    joined = with_matrix_input(fitted.to_onnx(), fitted.signature)
    assert joined is not None
    judged = holed(features)
    opened = Matrix.load(joined, fitted.signature)
    assert parity(fitted.predict(judged), opened.predict(judged), tolerance=1e-7).ok


def test_a_fit_that_does_not_settle_says_so() -> None:
    data = load_breast_cancer()
    fitted = fit(named(data.data), data.target, (0, 1), max_iter=3)
    assert isinstance(fitted, Telling)
    [finding] = fitted.findings
    assert "had not settled after 3 turns" in finding.what
    assert "raise max_iter (it is 3)" in finding.hint
    prove(fitted, named(data.data))
    settled = fit(named(data.data), data.target, (0, 1))
    assert isinstance(settled, Telling)
    assert settled.findings == ()


def test_least_squares_of_columns_that_nearly_repeat_each_other_says_so() -> None:
    with gzip.open(FLIGHTS / "training_data.csv.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["dep_delay"]]
    texts = {"carrier", "origin", "dest"}
    features = {
        name: np.array([row[name] for row in rows], dtype=object)
        if name in texts
        else np.array([float(row[name] or "nan") for row in rows], dtype=np.float32)
        for name in rows[0]
        if name not in {"late", "dep_delay"}
    }
    target = np.array([float(row["dep_delay"]) for row in rows])
    told = fit(features, target, alpha=0)
    assert isinstance(told, Telling)
    assert [each.hint.partition(",")[0] for each in told.findings] == ["raise alpha"]
    settled = fit(features, target)
    assert isinstance(settled, Telling)
    assert settled.findings == ()


def test_no_intercept_means_zero_where_everything_is_average() -> None:
    x = np.array([1, 2, 3, 4, 5], np.float32)
    fitted = fit({"x": x}, x * 3.0 + 50, alpha=0, fit_intercept=False)
    assert fitted.predict({"x": np.array([3.0], np.float32)}).label.tolist() == [0.0]


def test_the_same_training_gives_the_same_bytes() -> None:
    data = load_digits()
    made = [fit(named(data.data), data.target, tuple(range(10))) for _ in range(2)]
    assert made[0].native() == made[1].native()
    assert made[0].to_onnx() == made[1].to_onnx()


def test_bytes_that_are_no_linear_model_are_refused() -> None:
    rng = np.random.default_rng(11)
    features = {
        "x": rng.normal(size=50).astype(np.float32),
        "w": rng.choice(np.array(["a", "b"], dtype=object), 50),
    }
    fitted = fit(features, rng.normal(size=50))
    whole = json.loads(fitted.native())

    def changed(place: int, **values: object) -> bytes:
        columns = [dict(each) for each in whole["linear"]["columns"]]
        columns[place] |= values
        return json.dumps({**whole, "linear": {**whole["linear"], "columns": columns}}).encode()

    assert get("linear").restore(changed(0), fitted.signature).native() == fitted.native()
    damaged = [
        b"",
        b"{}",
        b"[]",
        fitted.native()[:-9],
        changed(0, name="y"),
        changed(0, weights=[[1.0], [2.0]]),
        changed(0, weights=[["x"]]),
        changed(0, spread=0.0),
        changed(0, spread=None),
        changed(0, centre=float("nan")),
        changed(1, words=["a", "b", "c"]),
        json.dumps({**whole, "linear": {**whole["linear"], "intercept": [1.0, 2.0]}}).encode(),
    ]
    for content in damaged:
        with pytest.raises(FormError):
            get("linear").restore(content, fitted.signature)
    other = fit({"x": features["x"]}, rng.normal(size=50))
    with pytest.raises(FormError, match="another signature"):
        get("linear").restore(fitted.native(), other.signature)

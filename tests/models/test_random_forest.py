"""Forests: trained, kept and exported answer to the bit alike, on any number of threads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from seatrial.errors import FaultError, FileError, FormError
from seatrial.inference.matrix import Matrix
from seatrial.inference.session import Model
from seatrial.models import (
    NotExportable,
    Telling,
    Training,
    _columns_words,
    _sklearn_forest_onnx,
    get,
)
from seatrial.models._matrix import with_matrix_input
from seatrial.models._sklearn_forest import planted
from seatrial.models.random_forest import _demand_same_answers

if TYPE_CHECKING:
    from seatrial.inference.answer import Answer

Columns = dict[str, np.ndarray]
FEW = {"n_estimators": 8}


def named(matrix: np.ndarray) -> Columns:
    return {f"f{i}": column.copy() for i, column in enumerate(matrix.astype(np.float32).T)}


def holed(features: Columns, share: float = 0.1) -> Columns:
    rng = np.random.default_rng(5)
    return {
        name: np.where(rng.random(len(column)) < share, np.float32(np.nan), column)
        for name, column in features.items()
    }


def same(one: Answer, other: Answer) -> None:
    assert one.label.dtype == other.label.dtype
    np.testing.assert_array_equal(one.label, other.label)
    if one.probabilities is None:
        assert other.probabilities is None
        return
    np.testing.assert_array_equal(one.probabilities, np.asarray(other.probabilities))


def prove(training: Training, judged: Columns) -> None:
    """The export and what was kept give the very bits of the trained model."""
    trainer = get("random_forest")
    fitted = trainer.fit(training)
    answer = fitted.predict(judged)
    same(answer, Model.load(fitted.to_onnx(), fitted.signature).predict(judged))
    restored = trainer.restore(fitted.native(), fitted.signature)
    same(answer, restored.predict(judged))
    assert restored.native() == fitted.native()


@pytest.mark.parametrize("missing_in_training", [True, False])
@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_diabetes])
def test_exported_answers_as_trained(load: Any, *, missing_in_training: bool) -> None:
    data = load()
    features, numbers = named(data.data), load is load_diabetes
    training = Training(
        holed(features) if missing_in_training else features,
        data.target,
        "numbers" if numbers else "classes",
        () if numbers else tuple(range(len(data.target_names))),
        FEW,
        1,
    )
    prove(training, holed(features))


@pytest.mark.parametrize(
    "given",
    [
        {"max_depth": 1},
        {"criterion": "entropy", "max_features": None},
        {"min_samples_leaf": 0.05, "min_samples_split": 0.1},
        {"max_leaf_nodes": 6},
        {"ccp_alpha": 0.01},
        {"class_weight": "balanced_subsample"},
        {"class_weight": {0: 1, 1: 9.5}},
        {"bootstrap": False, "max_features": 3},
        {"max_samples": 0.3, "n_jobs": 2},
        {"monotonic_cst": [1, -1, *[0] * 28]},
        {"min_samples_leaf": 100_000},  # trees without a split
    ],
)
def test_every_kind_of_forest_exports_exactly(given: dict[str, object]) -> None:
    data = load_breast_cancer()
    features = named(data.data)
    prove(Training(features, data.target, "classes", (0, 1), {**FEW, **given}, 1), holed(features))


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_large_numbers_about_zero_keep_their_digits(criterion: str) -> None:
    data = load_diabetes()
    features = named(data.data)
    offset = 0.0 if criterion == "poisson" else 1e9
    given = {**FEW, "criterion": criterion, "max_depth": 6}
    prove(Training(features, data.target * 1e7 - offset, "numbers", (), given, 1), features)


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_diabetes])
def test_answers_are_those_of_plain_scikit_learn(load: Any) -> None:
    data = load()
    features = holed(named(data.data))
    matrix = np.column_stack([*features.values()])
    if load is load_diabetes:
        theirs = RandomForestRegressor(8, random_state=3).fit(matrix, data.target)
        fitted = get("random_forest").fit(Training(features, data.target, "numbers", (), FEW, 3))
        expected = theirs.predict(matrix).astype(np.float32)
        np.testing.assert_array_equal(fitted.predict(features).label, expected)
        return
    classes = tuple(range(len(data.target_names)))
    theirs = RandomForestClassifier(8, random_state=3).fit(matrix, data.target)
    fitted = get("random_forest").fit(Training(features, data.target, "classes", classes, FEW, 3))
    answer = fitted.predict(features)
    np.testing.assert_allclose(
        np.asarray(answer.probabilities), theirs.predict_proba(matrix), rtol=0, atol=1e-7
    )


def test_words_are_coded_by_the_alphabet_and_the_unknown_are_missing() -> None:
    words = np.array(["c", "a", "", "b"] * 30, dtype=object)
    matrix = np.array([2.0, 0.0, np.nan, 1.0] * 30, dtype=np.float32).reshape(-1, 1)
    target = np.array([0, 1, 1, 0] * 30)
    theirs = RandomForestClassifier(8, random_state=1).fit(matrix, target)
    fitted = get("random_forest").fit(Training({"w": words}, target, "classes", (0, 1), FEW, 1))
    asked = np.array(["a", "b", "c", "", "never seen", None], dtype=object)
    expected = theirs.predict_proba(np.array([[0], [1], [2], [np.nan], [np.nan], [np.nan]]))
    np.testing.assert_allclose(np.asarray(fitted.predict({"w": asked}).probabilities), expected)


def test_a_column_of_names_keeps_only_its_frequent_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_columns_words, "MOST_WORDS", 3)
    names = np.array([*("often",) * 30, *("seldom",) * 20, *map(str, range(50))], dtype=object)
    target = np.array([0] * 30 + [1] * 20 + [0, 1] * 25)
    fitted: Any = get("random_forest").fit(
        Training({"who": names}, target, "classes", (0, 1), FEW, 1)
    )
    assert fitted.words == {"who": ["0", "often", "seldom"]}
    same(
        fitted.predict({"who": np.array(["7"], dtype=object)}),
        fitted.predict({"who": np.array(["somebody new"], dtype=object)}),
    )


def test_one_feature_is_not_all_features() -> None:
    data = load_breast_cancer()
    features = named(data.data)
    made = [
        get("random_forest").fit(
            Training(features, data.target, "classes", (0, 1), {**FEW, "max_features": each}, 1)
        )
        for each in (1, 1.0)
    ]
    assert made[0].native() != made[1].native()


def _column(draw: st.DrawFn, rows: int) -> np.ndarray:
    kind = draw(st.sampled_from(["numbers", "constant", "missing", "words", "few"]))
    if kind == "words":
        words = st.sampled_from(["", "a", "ä", "b c", "z"])
        return np.array(draw(st.lists(words, min_size=rows, max_size=rows)), dtype=object)
    if kind in {"constant", "missing"}:
        return np.full(rows, 1e9 if kind == "constant" else np.nan, np.float32)
    several = [0.0, -0.0, 1.0, np.nan, np.inf, -np.inf]
    numbers = st.sampled_from(several) if kind == "few" else st.floats(width=32)
    return np.array(draw(st.lists(numbers, min_size=rows, max_size=rows)), dtype=np.float32)


@st.composite
def nasty(draw: st.DrawFn) -> Training:
    rows = draw(st.integers(3, 30))
    features = {f"c{i}": _column(draw, rows) for i in range(draw(st.integers(1, 4)))}
    problem = draw(st.sampled_from(["two", "many", "numbers"]))
    given: dict[str, object] = {"n_estimators": 3, "n_jobs": 1}
    if problem == "numbers":
        finite = st.floats(-1e12, 1e12)
        target = np.array(draw(st.lists(finite, min_size=rows, max_size=rows)))
        return Training(features, target, "numbers", (), given, 1)
    classes: tuple[Any, ...] = (0, 1) if problem == "two" else ("x", "y", "z")
    # a class may have a single row
    rest = draw(st.lists(st.sampled_from(classes), min_size=rows - 3, max_size=rows - 3))
    kind = object if problem == "many" else np.int64
    labels: np.ndarray = np.array([*(classes * 2)[:3], *rest], dtype=kind)
    return Training(features, labels, "classes", classes, given, 1)


@settings(max_examples=40, deadline=None)
@given(nasty())
def test_whatever_the_columns_hold_all_forms_of_the_model_agree(training: Training) -> None:
    prove(training, dict(training.features))


def test_more_than_thirty_classes_that_are_words() -> None:
    rng = np.random.default_rng(2)
    classes = tuple(f"class {i:02}" for i in range(36))
    labels = np.array([*classes, *rng.choice(classes, 300)], dtype=object)
    features = named(rng.normal(size=(len(labels), 3)))
    prove(Training(features, labels, "classes", classes, {"n_estimators": 5}, 1), features)


def test_infinity_is_the_largest_number_there_is() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=200).astype(np.float32)
    x[:20] = np.inf
    target = np.isinf(x).astype(np.int64)
    fitted = get("random_forest").fit(Training({"x": x}, target, "classes", (0, 1), FEW, 1))
    asked = {"x": np.array([np.inf, 3.4e38, 1.0, -np.inf], np.float32)}
    assert fitted.predict(asked).label.tolist() == [1, 1, 0, 0]


def test_numbers_alone_can_be_fed_as_one_matrix() -> None:
    data = load_breast_cancer()
    features = named(data.data)
    fitted = get("random_forest").fit(Training(features, data.target, "classes", (0, 1), FEW, 1))
    joined = with_matrix_input(fitted.to_onnx(), fitted.signature)
    assert joined is not None
    judged = holed(features)
    same(fitted.predict(judged), Matrix.load(joined, fitted.signature).predict(judged))


def test_the_seed_decides_and_the_number_of_jobs_does_not() -> None:
    data = load_breast_cancer()
    features = named(data.data)

    def grown(seed: int, jobs: int) -> tuple[bytes, bytes]:
        hyperparameters = {**FEW, "n_jobs": jobs}
        training = Training(features, data.target, "classes", (0, 1), hyperparameters, seed)
        fitted = get("random_forest").fit(training)
        return fitted.native(), fitted.to_onnx()

    assert grown(1, 1) == grown(1, 2)
    assert grown(1, 1) != grown(2, 1)


def small(hyperparameters: dict[str, object], classes: tuple[int | str, ...] = (0, 1)) -> Training:
    rng = np.random.default_rng(1)
    features = {
        "x": rng.normal(size=60).astype(np.float32),
        "s": rng.choice(np.array(["a", "b"], dtype=object), 60),
    }
    target = (features["x"] > 0).astype(np.int64)
    return Training(features, target, "classes", classes, {**FEW, **hyperparameters}, 1)


@pytest.mark.parametrize(
    ("hyperparameters", "said"),
    [
        ({"monotonic_cst": [1]}, "needs 2 values, one a column, got 1"),
        ({"monotonic_cst": [0, 1]}, "not 0 for the column 's', which holds strings"),
        ({"max_samples": 61}, "max_samples is 61, more than the 60 rows"),
        ({"n_tree": 3}, "unknown hyperparameter"),
        ({"criterion": "poisson"}, "does not fit the problem"),
    ],
)
def test_what_does_not_fit_the_data_is_told(hyperparameters: dict[str, object], said: str) -> None:
    with pytest.raises(FileError) as caught:
        get("random_forest").fit(small(hyperparameters))
    assert said in str(caught.value)


def test_what_the_library_warns_of_is_a_finding() -> None:
    fitted = get("random_forest").fit(small({"max_samples": 0.05}))
    assert isinstance(fitted, Telling)
    [finding] = fitted.findings
    assert "scikit-learn warns: " in finding.what
    assert get("random_forest").restore(fitted.native(), fitted.signature).native() == (
        fitted.native()
    )


def test_what_the_library_refuses_is_told_in_its_words() -> None:
    features = {"x": np.arange(9, dtype=np.float32)}
    training = Training(features, -np.arange(9.0), "numbers", (), {"criterion": "poisson"}, 1)
    with pytest.raises(FileError, match=r"scikit-learn refuses to train: Some value.*negative"):
        get("random_forest").fit(training)


def test_monotonic_is_not_for_several_classes() -> None:
    rng = np.random.default_rng(1)
    features = {"x": rng.normal(size=60).astype(np.float32)}
    target = np.arange(60) % 3
    given = {"monotonic_cst": [1]}
    with pytest.raises(FileError, match="two classes or numbers"):
        get("random_forest").fit(Training(features, target, "classes", (0, 1, 2), given, 1))


@pytest.mark.parametrize("word", ["random_forest", "linear"])
def test_a_target_that_cannot_be_learned(word: str) -> None:
    rng = np.random.default_rng(1)
    features = {"x": rng.normal(size=6).astype(np.float32)}

    def fit(target: list[Any], problem: str, classes: tuple[int, ...], of: Columns) -> None:
        get(word).fit(Training(of, np.array(target), problem, classes, {}, 1))

    with pytest.raises(FormError, match="single class"):
        fit([1] * 6, "classes", (1,), features)
    with pytest.raises(FormError, match="holds '1', which is none of its classes"):
        fit([0, 1, 2, 0, 2, 2], "classes", (0, 2), features)
    with pytest.raises(FormError, match="no row is of the class 2"):
        fit([0, 1, 0, 1, 0, 1], "classes", (0, 1, 2), features)
    with pytest.raises(FormError, match="nan in row 3, which is no number"):
        fit([0.5, 1.5, 1, np.nan, 2, 3], "numbers", (), features)
    with pytest.raises(FormError, match="no column to learn from"):
        fit([0.5, 1.5], "numbers", (), {})
    with pytest.raises(FormError, match="no rows to learn from"):
        fit([], "numbers", (), {"x": np.empty(0, np.float32)})


@pytest.mark.parametrize("word", ["random_forest", "linear"])
@pytest.mark.parametrize("taken", ["label", "probabilities"])
def test_a_column_named_as_an_output_is_not_exportable(word: str, taken: str) -> None:
    base = small({})
    features = {taken: base.features["x"]}
    fitted = get(word).fit(Training(features, base.target, "classes", (0, 1), {}, 1))
    with pytest.raises(NotExportable, match=taken):
        fitted.to_onnx()


def test_a_forest_that_is_too_large_for_a_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sklearn_forest_onnx, "MOST_BYTES", 1000)
    fitted = get("random_forest").fit(small({}))
    with pytest.raises(NotExportable, match=r"nodes take more than.*max_depth"):
        fitted.to_onnx()


def test_trees_that_are_read_wrongly_are_found_out() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(80, 2)).astype(np.float32)
    grown = RandomForestClassifier(4, random_state=1).fit(matrix, matrix[:, 0] > 0)
    forest = planted([each.tree_ for each in grown.estimators_], classes=2)
    _demand_same_answers(grown, forest, matrix)
    forest.threshold[0] += 1
    with pytest.raises(FaultError, match="cannot read the trees"):
        _demand_same_answers(grown, forest, matrix)


def changed(native: bytes, **arrays: Any) -> bytes:
    with np.load(io.BytesIO(native)) as read:
        held = {**read, **arrays}
    file = io.BytesIO()
    np.savez(file, **held)
    return file.getvalue()


def test_bytes_that_are_no_forest_are_refused() -> None:
    trainer = get("random_forest")
    fitted: Any = trainer.fit(small({}))
    native, forest = fitted.native(), fitted.forest
    damaged = [
        b"",
        b"{}",
        native[:-40],
        native[len(native) // 2 :],
        changed(native, header=np.frombuffer(b"[]", np.uint8)),
        changed(native, header=np.frombuffer(b"{}", np.uint8)),
        changed(native, left=np.zeros_like(forest.left)),  # a tree without an end
        changed(native, left=forest.left[:-1]),
        changed(native, left=forest.left.astype(float)),
        changed(native, feature=forest.feature + 5),
        changed(native, feature=forest.feature - 5),
        changed(native, roots=forest.roots[::-1]),
        changed(native, roots=forest.roots + 1),
        changed(native, values=forest.values[:-1]),
        changed(native, values=np.hstack([forest.values, forest.values, forest.values])),
        changed(native, values=np.array([{}], dtype=object)),  # would be unpickled
    ]
    for content in damaged:
        with pytest.raises(FormError):
            trainer.restore(content, fitted.signature)
    other = trainer.fit(small({}, classes=(0, 1)))
    assert trainer.restore(native, other.signature).native() == native
    with pytest.raises(FormError, match="another signature"):
        trainer.restore(native, get("linear").fit(numbers()).signature)


def numbers() -> Training:
    x = np.arange(30, dtype=np.float32)
    return Training({"x": x}, x * 2.0, "numbers", (), {}, 1)


@pytest.mark.parametrize("word", ["random_forest", "linear"])
def test_one_row_is_enough_for_numbers(word: str) -> None:
    features = {"x": np.array([3.0], np.float32)}
    fitted = get(word).fit(Training(features, np.array([7.5]), "numbers", (), {}, 1))
    assert fitted.predict({"x": np.array([9.0], np.float32)}).label.tolist() == [7.5]

"""LightGBM: trained and exported answer alike, and the same training gives the same bytes."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from seatrial.errors import FileError, FormError
from seatrial.inference.parity import parity
from seatrial.inference.session import Model
from seatrial.models import NotExportable, Training, get

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
NAMES = ("a b", "é<&>", '"quoted"', "graph/0", "x:y", "[0]", "new\nline", "1")

Columns = dict[str, np.ndarray]


def named(matrix: np.ndarray) -> Columns:
    names = [*NAMES, *map("f{}".format, range(matrix.shape[1]))][: matrix.shape[1]]
    columns = matrix.astype(np.float32).T
    return {name: column.copy() for name, column in zip(names, columns, strict=True)}


def holed(features: Columns, share: float = 0.1) -> Columns:
    rng = np.random.default_rng(5)
    return {
        name: np.where(rng.random(len(column)) < share, np.float32(np.nan), column)
        for name, column in features.items()
    }


def prove(training: Training, judged: Columns) -> None:
    fitted = get("gradient_boosted").fit(training)
    opened = Model.load(fitted.to_onnx(), fitted.signature)
    expected, got = fitted.predict(judged), opened.predict(judged)
    assert expected.label.dtype == got.label.dtype
    found = parity(expected, got)
    assert found.ok, found


@pytest.mark.parametrize("missing_in_training", [True, False])
@pytest.mark.parametrize("load", [load_breast_cancer, load_digits, load_diabetes])
def test_exported_answers_as_trained(load: object, *, missing_in_training: bool) -> None:
    data = load()  # type: ignore[operator]
    features, numbers = named(data.data), load is load_diabetes
    training = Training(
        holed(features) if missing_in_training else features,
        data.target,
        "numbers" if numbers else "classes",
        () if numbers else tuple(range(len(data.target_names))),
        {"n_estimators": 30},
        1,
    )
    prove(training, holed(features))


@pytest.mark.parametrize(
    "hyperparameters",
    [
        {"boosting": "dart"},
        {"boosting": "goss", "learning_rate": 0.3},
        {"sigmoid": 2.5},
        {"use_missing": False},
        {"is_unbalance": True},
        {"objective": "multiclass"},
        {"objective": "ova", "sigmoid": 0.5},
        {"num_iterations": 1, "min_data_in_leaf": 100_000},  # a tree without a split
        {"learning_rate": 1e-9},  # every probability near the base rate
    ],
)
def test_every_kind_of_classifier_exports_exactly(hyperparameters: dict[str, object]) -> None:
    data = load_breast_cancer()
    features = named(data.data)
    given = {"n_estimators": 20, **hyperparameters}
    if "num_iterations" in given:
        del given["n_estimators"]
    prove(Training(features, data.target, "classes", (0, 1), given, 1), holed(features))


@pytest.mark.parametrize(
    "objective",
    ["l2", "mae", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"],
)
def test_every_objective_for_numbers_exports_exactly(objective: str) -> None:
    data = load_diabetes()
    features = named(data.data)
    given = {"objective": objective, "n_estimators": 30}
    prove(Training(features, data.target, "numbers", (), given, 1), holed(features))


@pytest.mark.parametrize("given", [{}, {"reg_sqrt": True}])
def test_large_numbers_about_zero_keep_their_digits(given: dict[str, object]) -> None:
    data = load_diabetes()
    features = named(data.data)
    prove(Training(features, data.target * 1e7 - 1e9, "numbers", (), given, 1), features)


def flights(file: str) -> tuple[Columns, np.ndarray]:
    with gzip.open(FLIGHTS / file, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))[:5_000]
    strings = {"carrier", "origin", "dest"}
    features = {
        name: np.array([row[name] for row in rows], dtype=object)
        if name in strings
        else np.array([float(row[name] or "nan") for row in rows], dtype=np.float32)
        for name in rows[0]
        if name != "late"
    }
    return features, np.array([int(row["late"]) for row in rows])


@pytest.fixture(scope="module")
def first_months() -> tuple[Columns, np.ndarray]:
    return flights("data/training_data.csv.gz")


def test_strings_missing_and_never_seen(first_months: tuple[Columns, np.ndarray]) -> None:
    features, target = first_months
    later, _ = flights("later/month_06.csv.gz")
    later["carrier"][::7] = "never seen"
    later["dest"][::11] = ""
    prove(Training(features, target, "classes", (0, 1), {"n_estimators": 40}, 1), later)


def test_nothing_but_strings_and_words_as_classes(
    first_months: tuple[Columns, np.ndarray],
) -> None:
    features, target = first_months
    strings = {name: column for name, column in features.items() if column.dtype == object}
    labels = np.where(target > 0, "late", "on time").astype(object)
    given = {"max_cat_to_onehot": 1, "min_data_per_group": 1, "n_estimators": 20}
    training = Training(strings, labels, "classes", ("late", "on time"), given, 1)
    prove(training, strings)
    alone = Training({"dest": strings["dest"]}, labels, "classes", ("late", "on time"), given, 1)
    prove(alone, {"dest": strings["dest"]})


def test_a_column_of_empty_strings_only() -> None:
    features = {"s": np.full(100, "", dtype=object), "x": np.arange(100, dtype=np.float32)}
    target = np.arange(100.0)
    prove(Training(features, target, "numbers", (), {}, 1), features)


@pytest.mark.slow
@pytest.mark.parametrize(
    "given", [{}, {"bagging_fraction": 0.5, "bagging_freq": 1}, {"extra_trees": True}]
)
def test_same_training_same_bytes_on_any_number_of_threads(
    first_months: tuple[Columns, np.ndarray], given: dict[str, object]
) -> None:
    features, target = first_months
    made = [
        get("gradient_boosted").fit(
            Training(features, target, "classes", (0, 1), {**given, **more}, 7)
        )
        for more in ({"n_estimators": 10}, {"nrounds": 10, "n_jobs": 2})
    ]
    assert made[0].native() == made[1].native()
    assert made[0].to_onnx() == made[1].to_onnx()


def test_another_seed_another_model(first_months: tuple[Columns, np.ndarray]) -> None:
    features, target = first_months
    given = {"bagging_fraction": 0.5, "bagging_freq": 1, "n_estimators": 5}
    made = [
        get("gradient_boosted").fit(Training(features, target, "classes", (0, 1), given, seed))
        for seed in (1, 2)
    ]
    assert made[0].to_onnx() != made[1].to_onnx()


def test_restored_is_the_same_model(first_months: tuple[Columns, np.ndarray]) -> None:
    features, target = first_months
    trainer = get("gradient_boosted")
    fitted = trainer.fit(Training(features, target, "classes", (0, 1), {"n_estimators": 5}, 1))
    restored = trainer.restore(fitted.native(), fitted.signature)
    assert restored.native() == fitted.native()
    assert restored.to_onnx() == fitted.to_onnx()
    np.testing.assert_array_equal(
        np.asarray(fitted.predict(features).probabilities),
        np.asarray(restored.predict(features).probabilities),
    )


@pytest.mark.parametrize("damaged", [b"", b"{}", b"tree", b'{"lightgbm":1,"categories":{}}'])
def test_bytes_that_are_no_model_are_refused(damaged: bytes) -> None:
    trainer = get("gradient_boosted")
    fitted = trainer.fit(small({}))
    with pytest.raises(FormError):
        trainer.restore(damaged, fitted.signature)


def small(given: dict[str, object], classes: tuple[int | str, ...] = (0, 1)) -> Training:
    rng = np.random.default_rng(1)
    features = {
        "x": rng.normal(size=200).astype(np.float32),
        "s": rng.choice(np.array(["a", "b"], dtype=object), 200),
    }
    target = (features["x"] > 0).astype(np.int64)
    return Training(features, target, "classes", classes, given, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"monotone_constraints": [1]}, "needs 2 values"),
        ({"monotone_constraints": [0, 1]}, "column number 1, which holds strings"),
        ({"interaction_constraints": [[0, 9]]}, "column number 9; they go from 0 to 1"),
        ({"is_unbalance": True, "scale_pos_weight": 2.0}, "LightGBM refuses"),
        ({"learning_rat": 0.1}, "unknown hyperparameter"),
    ],
)
def test_what_lightgbm_would_die_of_is_told(given: dict[str, object], said: str) -> None:
    with pytest.raises(FileError) as caught:
        get("gradient_boosted").fit(small(given))
    assert said in str(caught.value)


def test_a_target_that_cannot_be_learned() -> None:
    with pytest.raises(FormError, match="single class"):
        get("gradient_boosted").fit(small({}, classes=(1,)))
    with pytest.raises(FormError, match="none of its classes"):
        get("gradient_boosted").fit(small({}, classes=(0, 2)))
    with pytest.raises(FileError, match="does not fit 3 classes"):
        get("gradient_boosted").fit(small({"objective": "binary"}, classes=(0, 1, 2)))


@pytest.mark.parametrize("taken", ["label", "probabilities"])
def test_a_column_named_as_an_output_is_not_exportable(taken: str) -> None:
    base = small({})
    features = {taken: base.features["x"]}
    fitted = get("gradient_boosted").fit(Training(features, base.target, "classes", (0, 1), {}, 1))
    with pytest.raises(NotExportable, match=taken):
        fitted.to_onnx()


def test_no_rows_give_an_empty_answer() -> None:
    fitted = get("gradient_boosted").fit(small({}))
    answer = fitted.predict({"x": np.empty(0, np.float32), "s": np.empty(0, object)})
    assert answer.label.shape == (0,)
    assert answer.probabilities is not None
    assert answer.probabilities.shape == (0, 2)

"""Every metric equals the scorer of its name, on tables that hypothesis finds."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import extend, metrics
from seatrial.errors import FileError
from seatrial.metrics import Metric, Predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    Scorer = Callable[[np.ndarray, Predictions], float]


def scorers() -> dict[str, Scorer]:
    from sklearn import metrics as sk  # noqa: PLC0415 - slow to import

    def positive(p: Predictions) -> np.ndarray:
        assert p.probabilities is not None
        return p.probabilities[:, 1]

    def of_two(score: Callable[..., float]) -> Scorer:
        return lambda y, p: score(
            y, p.label, pos_label=p.classes[1], average="binary", zero_division=0
        )

    def averaged(score: Callable[..., float], average: str) -> Scorer:
        return lambda y, p: score(y, p.label, average=average, zero_division=0)

    def area(multi_class: str, average: str) -> Scorer:
        def score(y: np.ndarray, p: Predictions) -> float:
            given = positive(p) if len(p.classes) == 2 else p.probabilities
            return float(sk.roc_auc_score(y, given, multi_class=multi_class, average=average))

        return score

    families = {
        "precision": sk.precision_score,
        "recall": sk.recall_score,
        "f1": sk.f1_score,
        "jaccard": sk.jaccard_score,
    }
    return {
        **{
            f"{name}_{how}": averaged(score, how)
            for name, score in families.items()
            for how in ("macro", "micro", "weighted")
        },
        **{
            f"roc_auc_{how}{ending}": area(how, average)
            for how in ("ovr", "ovo")
            for ending, average in (("", "macro"), ("_weighted", "weighted"))
        },
        "jaccard": of_two(sk.jaccard_score),
        "matthews_corrcoef": lambda y, p: sk.matthews_corrcoef(y, p.label),
        "positive_likelihood_ratio": lambda y, p: sk.class_likelihood_ratios(
            y, p.label, labels=p.classes
        )[0],
        "neg_negative_likelihood_ratio": lambda y, p: (
            -sk.class_likelihood_ratios(y, p.label, labels=p.classes)[1]
        ),
        "d2_brier_score": lambda y, p: sk.d2_brier_score(y, p.probabilities, labels=p.classes),
        "d2_log_loss_score": lambda y, p: sk.d2_log_loss_score(
            y, p.probabilities, labels=p.classes
        ),
        "top_k_accuracy": lambda y, p: sk.top_k_accuracy_score(
            y, p.probabilities, k=2, labels=p.classes
        ),
        "top_k_accuracy@3": lambda y, p: sk.top_k_accuracy_score(
            y, p.probabilities, k=3, labels=p.classes
        ),
        "explained_variance": lambda y, p: sk.explained_variance_score(y, p.label),
        "d2_absolute_error_score": lambda y, p: sk.d2_absolute_error_score(y, p.label),
        "neg_max_error": lambda y, p: -sk.max_error(y, p.label),
        "neg_median_absolute_error": lambda y, p: -sk.median_absolute_error(y, p.label),
        "neg_mean_absolute_percentage_error": lambda y, p: (
            -sk.mean_absolute_percentage_error(y, p.label)
        ),
        "neg_mean_squared_log_error": lambda y, p: -sk.mean_squared_log_error(y, p.label),
        "neg_root_mean_squared_log_error": lambda y, p: -sk.root_mean_squared_log_error(y, p.label),
        "neg_mean_poisson_deviance": lambda y, p: -sk.mean_poisson_deviance(y, p.label),
        "neg_mean_gamma_deviance": lambda y, p: -sk.mean_gamma_deviance(y, p.label),
        "neg_mean_pinball_loss": lambda y, p: -sk.mean_pinball_loss(y, p.label),
        "neg_mean_pinball_loss@0.9": lambda y, p: -sk.mean_pinball_loss(y, p.label, alpha=0.9),
        "accuracy": lambda y, p: sk.accuracy_score(y, p.label),
        "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p.label),
        "f1": of_two(sk.f1_score),
        "precision": of_two(sk.precision_score),
        "recall": of_two(sk.recall_score),
        "f1_macro": lambda y, p: sk.f1_score(y, p.label, average="macro", zero_division=0),
        "roc_auc": lambda y, p: sk.roc_auc_score(y == p.classes[1], positive(p)),
        "average_precision": lambda y, p: sk.average_precision_score(
            y == p.classes[1], positive(p)
        ),
        "neg_log_loss": lambda y, p: -sk.log_loss(y, p.probabilities, labels=p.classes),
        "neg_brier_score": lambda y, p: -sk.brier_score_loss(y, p.probabilities, labels=p.classes),
        "r2": lambda y, p: sk.r2_score(y, p.label),
        "neg_mean_absolute_error": lambda y, p: -sk.mean_absolute_error(y, p.label),
        "neg_mean_squared_error": lambda y, p: -sk.mean_squared_error(y, p.label),
        "neg_root_mean_squared_error": lambda y, p: -sk.root_mean_squared_error(y, p.label),
    }


EXPECTED = scorers()
OF_CLASSES = [name for name in EXPECTED if metrics.get(name).problem == "classes"]
OF_NUMBERS = [name for name in EXPECTED if metrics.get(name).problem == "numbers"]


def drawn(seed: int, n: int, classes: tuple[object, ...]) -> tuple[np.ndarray, Predictions]:
    """Rows on which both classes occur, with tied scores and answers that need not follow them."""
    rng = np.random.default_rng(seed)
    code = np.concatenate([np.arange(len(classes)), rng.integers(0, len(classes), n)])
    weights = rng.integers(1, 6, (len(code), len(classes))).astype(np.float64)
    answer = rng.integers(0, len(classes), len(code))
    known = np.asarray(classes)
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    return known[code], Predictions(known[answer], probabilities, classes)


def test_every_word_is_compared() -> None:
    plain = {name for name in EXPECTED if "@" not in name}
    # scikit-learn has no scorer of it; test_calibration compares it with its definition
    assert {*extend.names("metrics")} - plain == {"expected_calibration_error"}


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 40),
    classes=st.sampled_from(
        [(0, 1), (False, True), ("no", "yes"), (-1, 1), (0, 1, 2), ("a", "b", "c", "d")]
    ),
)
def test_metrics_of_classes(seed: int, n: int, classes: tuple[object, ...]) -> None:
    y, predictions = drawn(seed, n, classes)
    for name in OF_CLASSES:
        metric = metrics.get(name)
        if metric.binary_only and len(classes) > 2:
            continue
        if metrics.why_undefined(metric, y, predictions):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = EXPECTED[name](y, predictions)
        assert metric.value(y, predictions) == pytest.approx(expected, abs=1e-12), name
        assert metric.least <= metric.value(y, predictions) <= metric.most


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 40))
def test_metrics_of_numbers(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.gamma(5, 2, n)
    predictions = Predictions((y * np.exp(rng.normal(0, 0.3, n))).astype(np.float32))
    for name in OF_NUMBERS:
        expected = EXPECTED[name](y, predictions)
        assert metrics.get(name).value(y, predictions) == pytest.approx(expected, rel=1e-6), name


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 40))
def test_rows_add_up_to_the_value(seed: int, n: int) -> None:
    y, predictions = drawn(seed, n, ("no", "yes"))
    numbers = np.random.default_rng(seed).normal(size=n)
    for metric in map(metrics.get, EXPECTED):
        rows = metric.influence or metric.per_row
        if rows is None or (metric.problem == "numbers" and metric.undefined is not None):
            continue
        case = (
            (y, predictions) if metric.problem == "classes" else (numbers, Predictions(numbers**2))
        )
        assert rows(*case).mean() == pytest.approx(metric.value(*case), abs=1e-9), metric.name


@pytest.mark.parametrize(
    "name",
    [
        *("r2", "neg_root_mean_squared_error", "average_precision", "explained_variance"),
        *("d2_brier_score", "d2_log_loss_score", "roc_auc_ovr", "roc_auc_ovo_weighted"),
    ],
)
def test_an_influence_is_what_leaving_out_a_row_does(name: str) -> None:
    metric = metrics.get(name)
    n = 3000
    rng = np.random.default_rng(1)
    if metric.problem == "numbers":
        y = rng.normal(size=n)
        predictions = Predictions(y + rng.normal(size=n))
    else:
        y = (rng.random(n) < 0.3).astype(int)
        score = 1 / (1 + np.exp(-rng.normal(size=n) - y))
        predictions = Predictions(y, np.column_stack([1 - score, score]), (0, 1))
    assert metric.influence is not None
    influence = metric.influence(y, predictions) - metric.value(y, predictions)
    for row in range(0, n, 300):
        kept = np.arange(n) != row
        moved = metric.value(y, predictions) - metric.value(y[kept], predictions.rows(kept))
        assert moved * n == pytest.approx(influence[row], abs=0.02), row


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 30))
def test_average_precision_is_left_out_row_by_row_exactly(seed: int, n: int) -> None:
    y, predictions = drawn(seed, n, (0, 1))
    metric = metrics.get("average_precision")
    assert metric.influence is not None
    rows = np.arange(len(y))
    left = np.array([metric.value(y[rows != r], predictions.rows(rows != r)) for r in rows])
    expected = metric.value(y, predictions) + (len(y) - 1) * (left.mean() - left)
    assert metric.influence(y, predictions) == pytest.approx(expected, abs=1e-9)


def test_average_precision_is_flattered_by_few_rows() -> None:
    """What it estimates as its own optimism is what a random model gains on few rows."""
    metric = metrics.get("average_precision")
    assert metric.optimism is not None
    gained, estimated = [], []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        y, p = (rng.random(60) < 0.2).astype(int), rng.random(60)
        predictions = Predictions(y, np.column_stack([1 - p, p]), (0, 1))
        gained.append(metric.value(y, predictions) - 0.2)
        estimated.append(metric.optimism(y, predictions))
    assert np.mean(estimated) == pytest.approx(np.mean(gained), rel=0.3)
    assert metric.optimism(np.zeros(60, int), predictions) == 0


@pytest.mark.parametrize("classes", [("a", "b"), tuple("abcdefghijkl"), (False, True), (3, 7, 9)])
def test_codes_are_places(classes: tuple[object, ...]) -> None:
    from seatrial.metrics._labels import codes  # noqa: PLC0415 - not public

    known = np.asarray(classes)
    place = np.random.default_rng(1).integers(0, len(known), 50)
    assert codes(known[place], classes).tolist() == place.tolist()
    assert codes(known[place].astype(object), classes).tolist() == place.tolist()
    assert codes(known[place], classes[:-1]).max(initial=0) <= len(known) - 1


DEGENERATE = [
    ("roc_auc", [1, 1, 1], 0.5),
    ("average_precision", [0, 0, 0], 0.0),
    ("recall", [0, 0, 0], 0.0),
    ("precision", [1, 1, 1], 0.0),
    ("f1", [0, 0, 0], 0.0),
    ("balanced_accuracy", [0, 0, 0], 1.0),
    ("f1_macro", [0, 0, 0], 1.0),
]


@pytest.mark.parametrize(("name", "y", "expected"), DEGENERATE)
def test_a_missing_class_gives_a_number(name: str, y: list[int], expected: float) -> None:
    predictions = Predictions(np.zeros(3, int), np.tile([0.6, 0.4], (3, 1)), (0, 1))
    assert metrics.get(name).value(np.array(y), predictions) == expected


@pytest.mark.parametrize(("wrong", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_r2_of_a_target_that_never_varies(wrong: float, expected: float) -> None:
    assert metrics.get("r2").value(np.ones(4), Predictions(np.full(4, 1 + wrong))) == expected


def test_a_truth_that_the_model_does_not_know_is_an_error_of_the_model() -> None:
    y = np.array(["a", "b", "z"])
    predictions = Predictions(
        np.array(["a", "b", "b"]), np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]), ("a", "b")
    )
    assert metrics.get("accuracy").value(y, predictions) == pytest.approx(2 / 3)
    assert metrics.get("neg_log_loss").value(y, predictions) < -10
    assert metrics.get("balanced_accuracy").value(y, predictions) == pytest.approx(2 / 3)
    assert metrics.get("neg_brier_score").value(y, predictions) < -0.08


@pytest.mark.parametrize("name", ["f1", "precision", "recall", "roc_auc", "average_precision"])
def test_a_metric_of_two_classes_refuses_three(name: str) -> None:
    y, predictions = drawn(1, 10, (0, 1, 2))
    with pytest.raises(FileError, match="two classes and there are 3"):
        metrics.get(name).value(y, predictions)


@pytest.mark.parametrize("name", ["roc_auc", "neg_log_loss"])
def test_a_metric_of_probabilities_says_that_it_needs_them(name: str) -> None:
    with pytest.raises(FileError, match="needs the probabilities"):
        metrics.get(name).value(np.array([0, 1]), Predictions(np.array([0, 1]), None, (0, 1)))


def test_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(FileError, match="nearest: accuracy"):
        metrics.get("acuracy")


def test_the_defaults_are_metrics_of_their_problem() -> None:
    assert metrics.get(metrics.default("classes")).problem == "classes"
    assert metrics.get(metrics.default("numbers")).problem == "numbers"


def test_ranges() -> None:
    def bounded(metric: Metric) -> bool:
        return metric.bounded

    unit = re.compile(
        "accuracy|average_precision|balanced_accuracy|expected_calibration_error|roc_auc.*|top_k.*"
        "|(f1|jaccard|precision|recall)(_macro|_micro|_weighted)?"
    )
    names = [*extend.names("metrics"), "top_k_accuracy@3"]
    assert {n for n in names if bounded(metrics.get(n))} == {*filter(unit.fullmatch, names)}

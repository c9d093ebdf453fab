"""Words that stand for metrics: numbers after @, names of scorers that are none, all at once."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial import extend, metrics
from seatrial.errors import FileError
from seatrial.metrics import Predictions


def of_two(p: np.ndarray) -> Predictions:
    return Predictions((p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1))


def test_a_number_after_the_word_makes_another_metric() -> None:
    low, high = (metrics.get(f"neg_mean_pinball_loss@{level}") for level in (0.1, 0.9))
    y, answers = np.array([10.0]), Predictions(np.array([8.0]))
    assert (low.value(y, answers), high.value(y, answers)) == pytest.approx((-0.2, -1.8))
    assert (low.name, high.name) == ("neg_mean_pinball_loss@0.1", "neg_mean_pinball_loss@0.9")
    assert metrics.get("neg_mean_pinball_loss@0.50").name == "neg_mean_pinball_loss"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("neg_mean_pinball_loss@1", "a level between 0 and 1, such as 0.9, got '1'"),
        ("neg_mean_pinball_loss@nan", "followed by a number, got 'nan'"),
        ("top_k_accuracy@2.5", "a whole number of classes, such as 3, got '2.5'"),
        ("top_k_accuracy@", "followed by a number, got ''"),
        ("expected_calibration_error@0", "a whole number of bins up to 1000"),
        ("accuracy@3", "the metric accuracy takes no number"),
        ("acuracy", "nearest: accuracy"),
        ("rand_score", "rand_score is no metric of a model's answers: it compares clusterings"),
        ("f1_samples", "it is for rows with several labels"),
    ],
)
def test_a_word_that_is_none_says_why(word: str, said: str) -> None:
    with pytest.raises(FileError) as caught:
        metrics.get(word)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_every_scorer_of_scikit_learn_is_a_word_or_says_why_not() -> None:
    from sklearn.metrics import get_scorer_names  # noqa: PLC0415 - slow to import

    refused = {word for words in metrics.NOT_WORDS.values() for word in words}
    assert {*get_scorer_names()} <= {*extend.names("metrics")} | refused


def test_all_metrics_of_some_rows_leave_out_what_has_no_value() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(200) < 0.4).astype(int)
    found = metrics.scores(y, of_two(rng.random(200)), "classes")
    assert {"roc_auc", "f1", "matthews_corrcoef", "expected_calibration_error"} <= {*found}
    assert "r2" not in found
    alone = metrics.scores(np.ones(200, int), of_two(rng.random(200)), "classes")
    assert "roc_auc" not in alone
    assert "accuracy" in alone


def test_a_calibration_error_is_the_distance_of_what_is_said_from_what_comes_true() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(4000)
    y = (rng.random(4000) < p**2).astype(int)
    expected = 0.0
    for edge in np.arange(10) / 10:
        rows = (p >= edge) & (p < edge + 0.1)
        expected += rows.mean() * abs(p[rows].mean() - y[rows].mean())
    metric = metrics.get("expected_calibration_error")
    assert metric.value(y, of_two(p)) == pytest.approx(expected)
    assert metric.greater_is_better is False


def test_of_many_classes_the_answered_one_is_what_is_calibrated() -> None:
    table = np.array([[0.7, 0.2, 0.1], [0.1, 0.7, 0.2]])
    answers = Predictions(np.array(["a", "b"]), table, ("a", "b", "c"))
    value = metrics.get("expected_calibration_error").value(np.array(["a", "c"]), answers)
    assert value == pytest.approx(0.2)

"""A loss is its metric with the sign turned, within a bound, for any answer whatsoever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial import extend
from seatrial.evidence.losses import LOG_BOUND, Loss, loss_for, why_none
from seatrial.inference.answer import Answer, most_probable
from seatrial.metrics import Predictions, get

CLASSES = ("no", "perhaps", "yes")
WATCHED = (
    "accuracy",
    "neg_brier_score",
    "neg_log_loss",
    "neg_mean_absolute_error",
    "neg_mean_squared_error",
    "r2",
)


def loss_of(metric: str, margin: float = 0.05, variance: float = 4.0, classes: int = 2) -> Loss:
    loss = loss_for(metric, margin=margin, variance=variance, classes=classes)
    assert loss is not None
    return loss


def answers(rows: int, classes: tuple[int | str, ...], seed: int = 0) -> Answer:
    random = np.random.default_rng(seed)
    return most_probable(random.dirichlet(np.ones(len(classes)), rows), classes)


@pytest.mark.parametrize("classes", [(0, 1), CLASSES])
@pytest.mark.parametrize("metric", ["accuracy", "neg_brier_score", "neg_log_loss"])
def test_the_mean_loss_of_classes_is_the_metric(
    metric: str, classes: tuple[int | str, ...]
) -> None:
    answer = answers(500, classes)
    labels = np.random.default_rng(1).choice(np.array(classes, object), 500)
    if classes == (0, 1):
        labels = labels.astype(np.int64)
    loss = loss_of(metric, classes=len(classes))
    losses = loss.of(labels, answer, classes)
    value = get(metric).value(labels, Predictions(answer.label, answer.probabilities, classes))
    assert losses.shape == (500,)
    if metric == "neg_log_loss":
        assert losses.max() == LOG_BOUND
        assert losses.mean() <= -value
        kept = losses < LOG_BOUND
        assert answer.probabilities is not None
        few = Predictions(answer.label[kept], answer.probabilities[kept], classes)
        value = get(metric).value(labels[kept], few)
        losses = losses[kept]
    assert losses.mean() == pytest.approx(loss.level(value), abs=1e-6)
    assert loss.margin == 0.05


@pytest.mark.parametrize("metric", ["r2", "neg_mean_squared_error", "neg_mean_absolute_error"])
def test_the_mean_loss_of_numbers_is_the_metric_in_units_of_the_spread(metric: str) -> None:
    random = np.random.default_rng(0)
    labels = random.normal(7, 2, 1000)
    answer = Answer((labels + random.normal(0, 0.3, 1000)).astype(np.float32))
    loss = loss_of(metric, variance=float(labels.var()))
    value = get(metric).value(labels, Predictions(answer.label))
    assert loss.of(labels, answer, ()).mean() == pytest.approx(loss.level(value), rel=1e-5)


@pytest.mark.parametrize(
    ("metric", "margin"),
    [("r2", 0.05), ("neg_mean_squared_error", 0.05 / 4), ("neg_mean_absolute_error", 0.05 / 2)],
)
def test_the_margin_is_in_the_unit_of_the_loss(metric: str, margin: float) -> None:
    assert loss_of(metric).margin == pytest.approx(margin)
    assert "validation target" in loss_of(metric).unit


def test_far_off_is_clipped() -> None:
    labels, answer = np.array([0.0, 0.0]), Answer(np.array([1.0, 1e30], np.float32))
    assert loss_of("r2").of(labels, answer, ()).tolist() == [0.25, 1.0]
    assert loss_of("neg_mean_absolute_error").of(labels, answer, ()).tolist() == [0.5, 2.0]


@given(
    metric=st.sampled_from(WATCHED),
    cells=st.lists(st.floats(width=32), min_size=4, max_size=4),
    label=st.sampled_from([0, 1, 2]),
)
def test_no_answer_costs_less_than_nothing_or_more_than_the_bound(
    metric: str, cells: list[float], label: int
) -> None:
    loss = loss_of(metric)
    if loss.variance:
        labels, answer = np.full(4, float(label)), Answer(np.array(cells, np.float32))
        broken = (~np.isfinite(answer.label)).tolist()
    else:
        table = np.array(cells, np.float32).reshape(2, 2)
        labels, answer = np.full(2, label), Answer(np.array([0, 1]), table)
        broken = (~np.isfinite(table).all(axis=1)).tolist()
    losses = loss.of(labels, answer, (0, 1))
    assert ((losses >= 0) & (losses <= loss.bound)).all()
    assert all(each == loss.bound for each, bad in zip(losses, broken, strict=True) if bad)
    if loss.counted:
        assert set(losses) <= {0.0, loss.bound}


def test_a_label_that_the_answerer_does_not_know_had_no_probability() -> None:
    answer = most_probable(np.array([[1.0, 0.0], [0.5, 0.5]]), ("no", "yes"))
    labels = np.array(["perhaps", "yes"], object)
    assert loss_of("accuracy").of(labels, answer, ("no", "yes"))[0] == 1
    assert loss_of("neg_brier_score").of(labels, answer, ("no", "yes")).tolist() == [1.0, 0.25]
    assert loss_of("neg_log_loss").of(labels, answer, ("no", "yes"))[0] == LOG_BOUND
    numbers = most_probable(np.array([[0.1, 0.9]]), (0, 1))
    assert loss_of("accuracy").of(labels[:1], numbers, (0, 1)).tolist() == [1.0]


def test_nothing_costs_nothing() -> None:
    for metric in WATCHED:
        empty = Answer(np.empty(0, np.float32), None)
        assert loss_of(metric).of(np.empty(0), empty, (0, 1)).shape == (0,)


@pytest.mark.parametrize("metric", sorted(extend.names("metrics")))
def test_every_metric_is_watched_or_says_what_to_write_instead(metric: str) -> None:
    problem = get(metric).problem
    loss = loss_for(metric, margin=0.05, variance=4.0)
    why = why_none(metric, margin=0.05, variance=4.0, problem=problem)
    assert (loss is not None) == (metric in WATCHED)
    assert (why == "") == (loss is not None)
    if loss is None:
        other = "neg_brier_score" if problem == "classes" else "neg_mean_absolute_error"
        assert f"`watch: {{metric: {other}, margin: " in why


@pytest.mark.parametrize("variance", [None, 0.0, float("nan"), float("inf"), -1.0])
def test_without_a_spread_numbers_have_no_scale(variance: float | None) -> None:
    assert loss_for("r2", margin=0.05, variance=variance) is None
    assert "did not vary" in why_none("r2", margin=0.05, variance=variance)


def test_a_margin_beyond_what_can_be_seen_is_none() -> None:
    assert loss_for("neg_mean_squared_error", margin=4.0, variance=4.0) is None
    said = why_none("neg_mean_squared_error", margin=4.0, variance=4.0)
    assert "a margin of 4 is more than the watch can see" in said
    assert "each at most 1;" in said

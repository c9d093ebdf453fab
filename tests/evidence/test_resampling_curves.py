"""Metrics of scores that give no more than their value on weights: drawn by counts, not by rows."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial import metrics
from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import positive, score
from seatrial.outcome import Verdict

Case = tuple[np.ndarray, Predictions, Predictions]


def area(weights: np.ndarray) -> np.ndarray:
    negative, mine = weights[..., 0, :], weights[..., 1, :]
    below = np.cumsum(negative, axis=-1) - negative / 2
    pairs = mine.sum(axis=-1) * negative.sum(axis=-1)
    return np.asarray(
        np.divide((mine * below).sum(axis=-1), pairs, out=np.full_like(pairs, 0.5), where=pairs > 0)
    )


def gap(weights: np.ndarray) -> np.ndarray:
    """The greatest distance between the two classes' distributions (Kolmogorov and Smirnov)."""
    sums = np.cumsum(weights, axis=-1)
    shares = sums / np.maximum(sums[..., -1:], 1e-300)
    return np.asarray(np.max(np.maximum(shares[..., 0, :] - shares[..., 1, :], 0), axis=-1))


def of(name: str, statistic: object) -> Metric:
    def value(y: np.ndarray, predictions: Predictions) -> float:
        known, place = np.unique(score(predictions), return_inverse=True)
        at = positive(y, predictions) * len(known) + place
        table = np.bincount(at, minlength=2 * len(known)).astype(float).reshape(2, -1)
        return float(statistic(table))  # type: ignore[operator]

    return Metric(
        name=name, problem="classes", value=value, of_scores=statistic,  # type: ignore[arg-type]
        binary_only=True, least=0.0, most=1.0,
    )  # fmt: skip


AREA, GAP = of("area", area), of("gap", gap)


def rows(seed: int, n: int) -> Case:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.4).astype(int)
    common, models = rng.normal(size=n), []
    for skill in (1.5, 1.2):
        p = 1 / (1 + np.exp(-(0.8 * common + 0.6 * rng.normal(size=n) + skill * (y - 0.5))))
        models.append(Predictions((p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1)))
    return y, models[0], models[1]


@pytest.mark.parametrize(("n", "apart"), [(300, 0.2), (30_000, 0.12)])
def test_counts_of_scores_agree_with_the_closed_form(n: int, apart: float) -> None:
    y, production, candidate = rows(1, n)
    auc = metrics.get("roc_auc")
    for closed, drawn in (
        (absolute(auc, y, production, 0.5, seed=1), absolute(AREA, y, production, 0.5, seed=1)),
        (
            compare(auc, y, candidate, production, 0.05, seed=1),
            compare(AREA, y, candidate, production, 0.05, seed=1),
        ),
    ):
        assert closed.value is not None
        assert drawn.value == pytest.approx(closed.value)
        for mine, theirs in ((drawn.low, closed.low), (drawn.high, closed.high)):
            assert mine is not None
            assert theirs is not None
            assert mine - closed.value == pytest.approx(theirs - closed.value, rel=apart)


@pytest.mark.parametrize("metric", [AREA, GAP], ids=["area", "gap"])
@pytest.mark.parametrize("n", [1, 2, 7, 40, 3000])
def test_bounds_hold_the_value_whatever_the_rows(metric: Metric, n: int) -> None:
    y, production, candidate = rows(n, n)
    one = absolute(metric, y, production, 0.5, seed=1)
    assert one.value is not None
    assert one.low is None or one.low <= one.value
    assert one.high is None or one.high >= one.value
    there = compare(metric, y, candidate, production, 0.05, seed=1)
    back = compare(metric, y, production, candidate, 0.05, seed=1)
    assert (there.low, there.high) == pytest.approx((-(back.high or 0), -(back.low or 0)))


def test_a_perfect_order_of_few_rows_is_not_proven_perfect() -> None:
    y = np.arange(30) % 2
    perfect = Predictions(y, np.eye(2)[y], (0, 1))
    assert absolute(AREA, y, perfect, 0.999, seed=1).verdict is Verdict.INCONCLUSIVE
    assert compare(AREA, y, perfect, perfect, 0.001, seed=1).verdict is Verdict.INCONCLUSIVE


def test_a_missing_class_says_nothing() -> None:
    model = Predictions(np.zeros(20, int), np.tile([0.7, 0.3], (20, 1)), (0, 1))
    for positives in (0, 1):
        y = (np.arange(20) < positives).astype(int)
        assert absolute(AREA, y, model, 0.4, seed=1).verdict is Verdict.INCONCLUSIVE
        assert compare(AREA, y, model, model, 0.9, seed=1).verdict is Verdict.INCONCLUSIVE


def test_scores_of_three_decimals_cost_no_more_than_others() -> None:
    """A thousand scores of either model make up to a million cells: too many to draw."""
    held = 0

    def seen(weights: np.ndarray) -> np.ndarray:
        nonlocal held
        held += weights.size
        return area(weights)

    def rounded(model: Predictions) -> Predictions:
        assert model.probabilities is not None
        return Predictions(model.label, model.probabilities.round(3), model.classes)

    y, production, candidate = rows(1, 20_000)
    measure = compare(of("area", seen), y, rounded(candidate), rounded(production), 0.05, seed=1)
    closed = compare(metrics.get("roc_auc"), y, rounded(candidate), rounded(production), 0.05,
                     seed=1)  # fmt: skip
    assert measure.high == pytest.approx(closed.high, rel=0.02)
    assert held < 20_000_000


@pytest.mark.slow
@pytest.mark.parametrize("metric", [AREA, GAP], ids=["area", "gap"])
def test_they_err_about_as_often_as_said(metric: Metric) -> None:
    """300 samples of 200 rows; 0.09 is three standard errors above 0.05."""
    y, production, candidate = rows(99, 400_000)
    true = metric.value(y, candidate)
    margin = metric.value(y, production) - true
    errs = np.zeros(4)
    for seed in range(300):
        y, production, candidate = rows(seed, 200)
        one = absolute(metric, y, candidate, true, seed=seed)
        two = compare(metric, y, candidate, production, margin, seed=seed)
        errs += [
            each is wanted
            for each in (one.verdict, two.verdict)
            for wanted in (Verdict.PASS, Verdict.FAIL)
        ]
    assert (errs / 300 <= 0.09).all(), errs / 300

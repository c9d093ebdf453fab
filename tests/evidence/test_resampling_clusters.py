"""Rows of one entity prove less than as many of different ones, and by how much is known."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import extend, metrics
from seatrial.evidence import cells, means
from seatrial.evidence.absolute import absolute
from seatrial.evidence.clusters import Clusters
from seatrial.evidence.paired import compare
from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import confusion

Case = tuple[np.ndarray, Predictions, Predictions, np.ndarray]
# of two classes the true one is always among two; a greatest error is no matter of chance alone
ALL = [
    name.replace("top_k_accuracy", "top_k_accuracy@1")
    for name in extend.names("metrics")
    if name != "neg_max_error"
]


def clustered(seed: int, clusters: int, *, alike: float = 0.5, numbers: bool = False) -> Case:
    """1 to 9 rows of each entity, whose truths, features and errors have so much in common."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(clusters), rng.integers(1, 10, clusters))

    def mixed() -> np.ndarray:
        own = rng.normal(size=len(groups)) * math.sqrt(1 - alike)
        return rng.normal(size=clusters)[groups] * math.sqrt(alike) + own

    if numbers:
        y, common = mixed(), mixed()
        one, other = (common + mixed() * 0.5 for _ in range(2))
        return y, Predictions(y + one * 0.5), Predictions(y + other * 0.6), groups
    y = (mixed() < -0.25).astype(int)
    common, models = mixed() * math.sqrt(0.7), []
    for skill in (1.5, 1.2):
        x = common + mixed() * math.sqrt(0.3) + skill * y
        p = 1 / (1 + np.exp(skill**2 / 2 + 0.4 - skill * x))
        models.append(Predictions((p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1)))
    return y, models[0], models[1], groups


def some(metric: Metric, seed: int, clusters: int) -> Case:
    y, *models, groups = clustered(seed, clusters, numbers=metric.problem == "numbers")
    if re.search("log_error|deviance", metric.name):  # of positive numbers
        models = [Predictions(np.exp(model.label / 4)) for model in models]
        y = np.exp(y / 4)
    return y, models[0], models[1], groups


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 30))
def test_totals_are_what_leaving_out_a_cluster_does(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    names = np.concatenate([np.arange(count), rng.integers(0, count, 40)])
    rows = rng.normal(size=len(names))
    totals = Clusters.of(names).totals(rows)
    left = np.array([rows[names != each].mean() for each in range(count)])
    assert totals.mean() == pytest.approx(rows.mean())
    jackknife = (count - 1) / count * np.sum((left - left.mean()) ** 2)
    assert means.deviation(totals) ** 2 == pytest.approx(jackknife)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(3, 60))
def test_rows_that_stand_alone_have_no_effect(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=n)
    alone = Clusters.of(rng.permutation(n))
    assert alone.effect(rows) == pytest.approx(1)
    assert alone.effect(np.ones(n)) == pytest.approx(1)
    twice = Clusters.of(np.repeat(np.arange(n), 2))
    assert twice.effect(np.repeat(rows, 2)) >= 2 * (1 - 1 / n) - 1e-9
    assert twice.effect(np.ones(2 * n)) == pytest.approx(2)


@pytest.mark.parametrize("name", ALL)
def test_repeating_every_row_proves_nothing_more(name: str) -> None:
    metric = metrics.get(name)
    y, production, candidate, _ = some(metric, 3, 60)
    twice = np.repeat(np.arange(len(y)), 2)
    once = compare(metric, y, candidate, production, 0.05, seed=1)
    repeated = compare(
        metric, y[twice], candidate.rows(twice), production.rows(twice), 0.05, seed=1, groups=twice
    )
    for mine, theirs in ((repeated.low, once.low), (repeated.high, once.high)):
        assert mine is not None
        assert theirs is not None
        assert once.value is not None
        assert mine - once.value == pytest.approx(theirs - once.value, rel=0.12)


@pytest.mark.parametrize("name", ALL)
def test_the_order_and_the_names_of_groups_do_not_matter(name: str) -> None:
    metric = metrics.get(name)
    y, production, candidate, groups = some(metric, 4, 30)
    order = np.random.default_rng(0).permutation(len(y))
    words = np.array([f"g{99 - each}" for each in groups])
    for model in (production, candidate):
        straight = absolute(metric, y, model, 0.5, seed=1, groups=groups)
        mixed = absolute(metric, y[order], model.rows(order), 0.5, seed=1, groups=words[order])
        # where whole groups are drawn, other names are drawn in another order
        near = 0.03 if metric.method == "resample" else 1e-9
        assert mixed.low == pytest.approx(straight.low, abs=near)
        assert mixed.high == pytest.approx(straight.high, abs=near)


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "f1_macro", "precision", "recall"])
def test_what_a_row_does_to_a_metric_of_the_confusion(name: str) -> None:
    metric = metrics.get(name)
    y, model, _, _ = clustered(5, 400)
    assert metric.of_confusion is not None
    counts = confusion(y, model)
    worth = cells.influence(metric.of_confusion, counts)
    assert np.sum(worth * counts) / counts.sum() == pytest.approx(metric.value(y, model))
    for truth, answer in ((0, 0), (0, 1), (1, 0), (1, 1)):
        less = counts.astype(float)
        less[truth, answer] -= 1
        moved = metric.of_confusion(counts) - metric.of_confusion(less)
        expected = worth[truth, answer] - metric.value(y, model)
        assert moved * counts.sum() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("name", ["accuracy", "f1", "f1_macro", "roc_auc", "neg_log_loss"])
def test_the_spread_by_clusters_is_that_of_drawn_clusters(name: str) -> None:
    """The closed form against what it replaces: 300 draws of 200 whole clusters."""
    metric = metrics.get(name)
    y, production, candidate, groups = clustered(6, 200)
    rows_of = [np.flatnonzero(groups == each) for each in range(200)]
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(300):
        rows = np.concatenate([rows_of[each] for each in rng.integers(0, 200, 200)])
        answers = (metric.value(y[rows], m.rows(rows)) for m in (production, candidate))
        drawn.append(next(answers) - next(answers))
    measure = compare(metric, y, candidate, production, 0.05, seed=1, groups=groups)
    assert measure.low is not None
    assert measure.high is not None
    assert (measure.high - measure.low) / 3.29 == pytest.approx(np.std(drawn), rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy", "f1", "roc_auc", "average_precision", "neg_log_loss"])
def test_bounds_by_clusters_err_about_as_often_as_said(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 samples of 60 clusters; 0.09 is three standard errors above 0.05.

    Bounds that ignore the clusters miss in 10 to 20 %.
    """
    monkeypatch.setattr("seatrial.evidence.cells.DRAWS", 1000)
    metric = metrics.get(name)
    y, production, candidate, _ = clustered(99, 60_000)
    true = metric.value(y, candidate)
    margin = metric.value(y, production) - true
    errs = np.zeros(4)
    for seed in range(300):
        y, production, candidate, groups = clustered(seed, 60)
        one = absolute(metric, y, candidate, true, seed=seed, groups=groups)
        two = compare(metric, y, candidate, production, margin, seed=seed, groups=groups)
        errs += [
            (one.low or 0) > true, (one.high or 0) < true,
            (two.low or 0) > margin, (two.high or 0) < margin,
        ]  # fmt: skip
    assert (errs / 300 <= 0.09).all(), errs / 300

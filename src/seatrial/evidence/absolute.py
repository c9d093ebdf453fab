"""Is one model good enough? Its metric with bounds, against a limit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import FormError, Mistake
from seatrial.evidence import binned, cells, curves, means, ranks, rates, resampling
from seatrial.evidence.clusters import Clusters
from seatrial.metrics import Metric, Predictions, why_undefined
from seatrial.metrics._labels import codes, confusion, positive, score
from seatrial.outcome import Direction, Measure, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    Bounds = tuple[float, float]


def absolute(
    metric: Metric,
    y: np.ndarray,
    predictions: Predictions,
    limit: float | None,
    *,
    seed: int,
    groups: np.ndarray | None = None,
) -> Measure:
    """The metric on n rows with one-sided 95 % bounds; the verdict is ``skip`` without a limit.

    ``y`` [n] is the truth; ``groups`` [n] says which rows belong together: they prove less than
    as many independent rows, and the wider of the two bounds counts. A bound that n rows cannot
    give (an unbounded metric on one row) is None and never passes. A metric that has no value on
    these rows (:func:`~seatrial.metrics.why_undefined`) settles nothing.

    >>> from seatrial.metrics import get
    >>> perfect = Predictions(np.arange(50) % 2, None, (0, 1))
    >>> measure = absolute(get("accuracy"), np.arange(50) % 2, perfect, 0.95, seed=1)
    >>> measure.value, round(measure.low, 3), measure.verdict.value
    (1.0, 0.942, 'inconclusive')
    """
    demand_numbers(y, predictions)
    direction = Direction.AT_LEAST if metric.greater_is_better else Direction.AT_MOST
    if why_undefined(metric, y, predictions):
        return nothing(metric.name, limit, direction, len(y))
    value = metric.value(y, predictions)
    bounds = BOUNDS[metric.method]
    low, high = bounds(metric, y, predictions, seed, None)
    if groups is not None:
        by_group = bounds(metric, y, predictions, seed, Clusters.of(groups))
        low, high = min(low, by_group[0]), max(high, by_group[1])
    low, high = max(min(low, value), metric.least), min(max(high, value), metric.most)
    return Measure(
        name=metric.name,
        value=value + 0.0,
        low=finite(low),
        high=finite(high),
        limit=limit,
        direction=direction,
        n=len(y),
        verdict=Verdict.SKIP if limit is None else judge(low, high, limit, direction),
    )


def demand_numbers(y: np.ndarray, *models: Predictions) -> None:
    """Refuse no rows at all, and answers that are not numbers: nothing can be said of either."""
    if not len(y):
        raise FormError(Mistake("there are no rows to judge the model on"))
    for model in models:
        shown = model.label if model.probabilities is None else model.probabilities
        if shown.dtype.kind == "f" and not np.isfinite(shown).all():
            broken = int((~np.isfinite(shown.reshape(len(y), -1))).any(axis=1).sum())
            what = f"the model answers {broken} of {len(y)} rows with a number that is not finite"
            raise FormError(Mistake(what, fix="look for missing or infinite features in training"))


def nothing(name: str, limit: float | None, direction: Direction, rows: int) -> Measure:
    """The measure of what has no value on these rows: a limit on it is not settled.

    >>> nothing("roc_auc", 0.8, Direction.AT_LEAST, 20).verdict.value
    'inconclusive'
    """
    verdict = Verdict.SKIP if limit is None else Verdict.INCONCLUSIVE
    return Measure(name=name, value=None, limit=limit, direction=direction, n=rows, verdict=verdict)


def finite(bound: float) -> float | None:
    """The bound, or None when the rows give none."""
    return bound + 0.0 if math.isfinite(bound) else None  # 0.0 instead of -0.0


def one_row(metric: Metric, y: np.ndarray, predictions: Predictions) -> float:
    """What one row can plausibly be worth: the gap between a perfect model and a constant one."""
    best = metric.most if metric.greater_is_better else metric.least
    if not math.isfinite(best):
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = abs(best - metric.value(y, _constant(y, predictions)))
    return worth if math.isfinite(worth) else 0.0  # some metrics have no value for a constant


def rarest(y: np.ndarray, predictions: Predictions, clusters: Clusters | None = None) -> int:
    """How many rows the rarest class has, or how many clusters hold such rows."""
    rows = [y == label for label in predictions.classes]
    return min(clusters.holding(each) if clusters else int(np.sum(each)) for each in rows)


def over_classes(
    metric: Metric, y: np.ndarray, predictions: Predictions, worth: float, clusters: Clusters | None
) -> tuple[float, float]:
    """What one row can be worth to a mean over rows or over classes, and the degrees of freedom.

    A mean over classes (in [0, 1], and no mean over rows) rests for its k-th part on the rows of
    the rarest class, however many others there are: a row of it is worth so many times more, and
    the spread within it is known from it alone. With a single such row nothing is known: 0.
    """
    if not metric.bounded or metric.influence is None:
        return worth, math.inf
    there = {label for label in predictions.classes if (y == label).any()}
    few = rarest(y, replace(predictions, classes=tuple(there)), clusters) if there else 0
    rows = clusters.count if clusters else len(y)
    return worth * rows / (max(few, 1) * max(len(there), 1)), max(few - 1, 0)


def _constant(y: np.ndarray, predictions: Predictions) -> Predictions:
    # The model that knows the mean, or how frequent each class is, and nothing about any row.
    if predictions.probabilities is None:
        return Predictions(np.full(len(y), np.mean(y, dtype=np.float64)))
    known = np.asarray(predictions.classes)
    share = np.array([np.mean(y == label) for label in known])
    return Predictions(
        np.full(len(y), known[np.argmax(share)]),
        np.tile(share, (len(y), 1)),
        predictions.classes,
    )


def unseen(metric: Metric, y: np.ndarray, predictions: Predictions, count: int) -> float:
    """How far a bound of a drawn metric is from its value at least: one of ``count`` may differ."""
    return means.student(count - 1) * one_row(metric, y, predictions) / count if count > 1 else 0.0


def _counted(
    metric: Metric, y: np.ndarray, predictions: Predictions, _seed: int, clusters: Clusters | None
) -> Bounds:
    assert metric.per_row is not None
    right = metric.per_row(y, predictions)
    effect = clusters.effect(right.astype(np.float64)) if clusters else 1.0
    return rates.of_one(float(right.sum()) / effect, len(y) / effect)


def _confused(
    metric: Metric, y: np.ndarray, predictions: Predictions, seed: int, clusters: Clusters | None
) -> Bounds:
    assert metric.of_confusion is not None
    counts = confusion(y, predictions)
    effect = 1.0
    if clusters:
        truth, answer = (codes(part, predictions.classes) for part in (y, predictions.label))
        effect = clusters.effect(cells.influence(metric.of_confusion, counts)[truth, answer])
    if metric.trials is None:
        return cells.of_one(metric.of_confusion, counts, seed=seed, effect=effect)
    hits, trials = metric.trials(counts)
    low, high = rates.of_one(hits / effect, trials / effect)
    return metric.of_rate(low), metric.of_rate(high)


def _ranked(
    metric: Metric, y: np.ndarray, predictions: Predictions, _seed: int, clusters: Clusters | None
) -> Bounds:
    assert metric.placements is not None
    placements = metric.placements(y, predictions)
    effect = 1.0
    if clusters:
        effect = clusters.effect(ranks.influence(placements, positive(y, predictions)))
    return ranks.of_one(placements, effect=effect)


def _averaged(
    metric: Metric, y: np.ndarray, predictions: Predictions, _seed: int, clusters: Clusters | None
) -> Bounds:
    of_row = metric.influence or metric.per_row
    assert of_row is not None
    worth = one_row(metric, y, predictions)
    if metric.ratio is not None:
        part, whole = metric.ratio(y, predictions)
        if whole.any():
            parts = (clusters.totals(part), clusters.totals(whole)) if clusters else (part, whole)
            low, high = means.ratio(*parts, one_row=worth)
            return 1 - high, 1 - low
    rows = of_row(y, predictions)
    rows = clusters.totals(rows) if clusters else rows
    if not (metric.bounded and metric.binary_only):
        one, most = over_classes(metric, y, predictions, worth, clusters)
        return means.interval(rows, one_row=one, most=most) if most else (0.0, 1.0)
    few = rarest(y, predictions, clusters)
    return means.share(
        rows,
        one_row=worth * len(rows) / max(few, 1),
        rarest=few,
        optimism=metric.optimism(y, predictions) if metric.optimism else 0.0,
    )


def _resampled(
    metric: Metric, y: np.ndarray, predictions: Predictions, seed: int, clusters: Clusters | None
) -> Bounds:
    value = metric.value(y, predictions)
    if metric.of_scores is not None and clusters is None:
        low, high = curves.of_one(
            metric.of_scores, positive(y, predictions), score(predictions), seed=seed
        )
        count = rarest(y, predictions)
    else:
        units = resampling.units_of(clusters.of_row if clusters else None, y, predictions)
        low, high = resampling.interval(
            lambda rows: metric.value(y[rows], predictions.rows(rows)), units, seed=seed
        )
        count = len(units.sizes)
    reach = unseen(metric, y, predictions, count)
    return min(low, value - reach), max(high, value + reach)


def _binned(
    metric: Metric, y: np.ndarray, predictions: Predictions, seed: int, clusters: Clusters | None
) -> Bounds:
    assert metric.binned is not None
    return binned.of_one(*metric.binned(y, predictions), seed=seed, clusters=clusters)


BOUNDS: dict[str, Callable[[Metric, np.ndarray, Predictions, int, Clusters | None], Bounds]] = {
    "count": _counted,
    "confusion": _confused,
    "ranks": _ranked,
    "mean": _averaged,
    "bins": _binned,
    "resample": _resampled,
}
"""How each method of a metric bounds one model."""

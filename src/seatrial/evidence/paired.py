"""Is the candidate no worse than production? Both on the same rows, against a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import binned, cells, curves, means, ranks, rates, resampling
from seatrial.evidence.absolute import (
    demand_numbers,
    finite,
    nothing,
    one_row,
    over_classes,
    rarest,
    unseen,
)
from seatrial.evidence.clusters import Clusters
from seatrial.metrics import why_undefined
from seatrial.metrics._labels import codes, positive, score
from seatrial.outcome import Direction, Measure, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Metric, Predictions

    Bounds = tuple[float, float]


def compare(
    metric: Metric,
    y: np.ndarray,
    candidate: Predictions,
    production: Predictions,
    margin: float,
    *,
    seed: int,
    groups: np.ndarray | None = None,
) -> Measure:
    """How much worse the candidate is (positive: worse), judged by non-inferiority.

    Passes when the upper bound is within the margin, fails when the lower one is beyond it.
    ``y`` [n] is the truth; ``groups`` [n] says which rows belong together: they prove less than
    as many independent rows, and the wider of the two bounds counts. Swapping the two models
    swaps the bounds and their signs.

    >>> import numpy as np
    >>> from seatrial.metrics import Predictions, get
    >>> truth = np.arange(600) % 2
    >>> production = Predictions(np.where(np.arange(600) % 10, truth, 1 - truth), None, (0, 1))
    >>> measure = compare(get("accuracy"), truth, production, production, 0.05, seed=1)
    >>> measure.value, round(measure.high, 4), measure.verdict.value
    (0.0, 0.0045, 'pass')
    """
    demand_numbers(y, candidate, production)
    name = f"degradation.{metric.name}"
    if why_undefined(metric, y, candidate, production):
        return nothing(name, margin, Direction.AT_MOST, len(y))
    sign = 1 if metric.greater_is_better else -1
    value = sign * (metric.value(y, production) - metric.value(y, candidate))
    bounds = BOUNDS[metric.method]
    low, high = bounds(metric, y, production, candidate, seed, None)
    if groups is not None:
        by_group = bounds(metric, y, production, candidate, seed, Clusters.of(groups))
        low, high = min(low, by_group[0]), max(high, by_group[1])
    low, high = sorted((sign * low, sign * high))
    widest = metric.most - metric.least
    low, high = max(min(low, value), -widest), min(max(high, value), widest)
    return Measure(
        name=name,
        value=value + 0.0,
        low=finite(low),
        high=finite(high),
        limit=margin,
        direction=Direction.AT_MOST,
        n=len(y),
        verdict=judge(low, high, margin, Direction.AT_MOST),
    )


def _counted(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    _seed: int,
    clusters: Clusters | None,
) -> Bounds:
    assert metric.per_row is not None
    difference = metric.per_row(y, first) - metric.per_row(y, second)
    effect = clusters.effect(difference.astype(np.float64)) if clusters else 1.0
    only = (int((difference > 0).sum()), int((difference < 0).sum()))
    return rates.of_difference(only[0] / effect, only[1] / effect, len(y) / effect)


def _confused(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    seed: int,
    clusters: Clusters | None,
) -> Bounds:
    assert metric.of_confusion is not None
    classes = tuple(sorted({*first.classes, *second.classes}))  # type: ignore[type-var]
    truth, one, other = (codes(part, classes) for part in (y, first.label, second.label))
    effect = 1.0
    if clusters:
        size = len(classes) + 1
        worth = []
        for answer in (one, other):
            counts = np.bincount(truth * size + answer, minlength=size**2).reshape(size, size)
            worth.append(cells.influence(metric.of_confusion, counts)[truth, answer])
        effect = clusters.effect(worth[0] - worth[1])
    return cells.of_difference(metric.of_confusion, truth, one, other, seed=seed, effect=effect)


def _ranked(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    _seed: int,
    clusters: Clusters | None,
) -> Bounds:
    assert metric.placements is not None
    one, other = metric.placements(y, first), metric.placements(y, second)
    effect = 1.0
    if clusters:
        is_positive = positive(y, first)
        worth = ranks.influence(one, is_positive) - ranks.influence(other, is_positive)
        effect = clusters.effect(worth)
    return ranks.of_difference(one, other, effect=effect)


def _averaged(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    _seed: int,
    clusters: Clusters | None,
) -> Bounds:
    of_row = metric.influence or metric.per_row
    assert of_row is not None
    worth = one_row(metric, y, first)
    if metric.ratio is not None:
        (mine, whole), (theirs, _) = metric.ratio(y, first), metric.ratio(y, second)
        if whole.any():
            more = theirs - mine
            parts = (clusters.totals(more), clusters.totals(whole)) if clusters else (more, whole)
            return means.ratio(*parts, one_row=worth)
    one, other = of_row(y, first), of_row(y, second)
    if clusters:
        one, other = clusters.totals(one), clusters.totals(other)
    if not (metric.bounded and metric.binary_only):
        worth, most = over_classes(metric, y, first, worth, clusters)
        return means.interval(one - other, one_row=worth, most=most) if most else (-1.0, 1.0)
    few = rarest(y, first, clusters)
    flattered = (metric.optimism(y, model) if metric.optimism else 0.0 for model in (first, second))
    return means.shares(
        one,
        other,
        one_row=worth / 2 * len(one) / max(few, 1),
        rarest=few,
        optimism=(next(flattered), next(flattered)),
    )


def _resampled(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    seed: int,
    clusters: Clusters | None,
) -> Bounds:
    # Always the same model first, whichever was named first, so that the same rows are drawn.
    values = metric.value(y, first), metric.value(y, second)
    if values[0] < values[1]:
        low, high = _resampled(metric, y, second, first, seed, clusters)
        return -high, -low
    if metric.of_scores is not None and clusters is None:
        low, high = curves.of_difference(
            metric.of_scores, positive(y, first), score(first), score(second), seed=seed
        )
        count = rarest(y, first)
    else:
        units = resampling.units_of(clusters.of_row if clusters else None, y, first, second)
        low, high = resampling.interval(
            lambda rows: (
                metric.value(y[rows], first.rows(rows)) - metric.value(y[rows], second.rows(rows))
            ),
            units,
            seed=seed,
        )
        count = len(units.sizes)
    value, reach = values[0] - values[1], unseen(metric, y, first, count) / 2
    return min(low, value - reach), max(high, value + reach)


def _binned(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    seed: int,
    clusters: Clusters | None,
) -> Bounds:
    assert metric.binned is not None
    parts = metric.binned(y, first), metric.binned(y, second)
    return binned.of_difference(*parts, seed=seed, clusters=clusters)


BOUNDS: dict[
    str,
    Callable[[Metric, np.ndarray, Predictions, Predictions, int, Clusters | None], Bounds],
] = {
    "count": _counted,
    "confusion": _confused,
    "ranks": _ranked,
    "mean": _averaged,
    "bins": _binned,
    "resample": _resampled,
}
"""How each method of a metric bounds the first model's value less the second's."""

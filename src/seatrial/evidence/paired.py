"""Is the candidate no worse than production? Both on the same rows, against a margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evidence import cells, means, ranks, rates, resampling
from seatrial.evidence.absolute import demand_numbers, finite, one_row, rarest
from seatrial.metrics._labels import codes
from seatrial.outcome import Direction, Measure, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

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
    ``y`` [n] is the truth; ``groups`` [n] says which rows belong together and are drawn together.
    Swapping the two models swaps the bounds and their signs exactly.

    >>> import numpy as np
    >>> from seatrial.metrics import Predictions, get
    >>> truth = np.arange(600) % 2
    >>> production = Predictions(np.where(np.arange(600) % 10, truth, 1 - truth), None, (0, 1))
    >>> measure = compare(get("accuracy"), truth, production, production, 0.05, seed=1)
    >>> measure.value, round(measure.high, 4), measure.verdict.value
    (0.0, 0.0045, 'pass')
    """
    demand_numbers(y, candidate, production)
    sign = 1 if metric.greater_is_better else -1
    value = sign * (metric.value(y, production) - metric.value(y, candidate))
    low, high = BOUNDS[metric.method](metric, y, production, candidate, seed)
    if groups is not None:
        by_group = _resampled(metric, y, production, candidate, seed, groups)
        low, high = min(low, by_group[0]), max(high, by_group[1])
    low, high = sorted((sign * low, sign * high))
    widest = metric.most - metric.least
    low, high = max(min(low, value), -widest), min(max(high, value), widest)
    return Measure(
        name=f"degradation.{metric.name}",
        value=value + 0.0,
        low=finite(low),
        high=finite(high),
        limit=margin,
        direction=Direction.AT_MOST,
        n=len(y),
        verdict=judge(low, high, margin, Direction.AT_MOST),
    )


def _counted(
    metric: Metric, y: np.ndarray, first: Predictions, second: Predictions, _seed: int
) -> Bounds:
    assert metric.per_row is not None
    difference = metric.per_row(y, first) - metric.per_row(y, second)
    return rates.of_difference(
        int((difference > 0).sum()), int((difference < 0).sum()), len(difference)
    )


def _confused(
    metric: Metric, y: np.ndarray, first: Predictions, second: Predictions, seed: int
) -> Bounds:
    assert metric.of_confusion is not None
    classes = tuple(sorted({*first.classes, *second.classes}))  # type: ignore[type-var]
    truth, one, other = (codes(part, classes) for part in (y, first.label, second.label))
    return cells.of_difference(metric.of_confusion, truth, one, other, seed=seed)


def _ranked(
    metric: Metric, y: np.ndarray, first: Predictions, second: Predictions, _seed: int
) -> Bounds:
    assert metric.placements is not None
    return ranks.of_difference(metric.placements(y, first), metric.placements(y, second))


def _averaged(
    metric: Metric, y: np.ndarray, first: Predictions, second: Predictions, _seed: int
) -> Bounds:
    rows = metric.influence or metric.per_row
    assert rows is not None
    one, other, worth = rows(y, first), rows(y, second), one_row(metric, y, first)
    if not (metric.bounded and metric.binary_only):
        return means.interval(one - other, one_row=worth)
    few = rarest(y, first)
    return means.shares(one, other, one_row=worth / 2 * len(y) / max(few, 1), rarest=few)


def _resampled(
    metric: Metric,
    y: np.ndarray,
    first: Predictions,
    second: Predictions,
    seed: int,
    groups: np.ndarray | None = None,
) -> Bounds:
    def upper(one: Predictions, other: Predictions) -> float:
        return resampling.interval(
            lambda rows: (
                metric.value(y[rows], one.rows(rows)) - metric.value(y[rows], other.rows(rows))
            ),
            resampling.units_of(groups, y, one, other),
            seed=seed,
        )[1]

    return -upper(second, first), upper(first, second)


BOUNDS: dict[str, Callable[[Metric, np.ndarray, Predictions, Predictions, int], Bounds]] = {
    "count": _counted,
    "confusion": _confused,
    "ranks": _ranked,
    "mean": _averaged,
    "resample": _resampled,
}
"""How each method of a metric bounds the first model's value less the second's."""

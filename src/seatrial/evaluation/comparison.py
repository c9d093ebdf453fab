"""Two versions side by side on the same rows: which is better, where, and by how much?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation import noise
from seatrial.evaluation.labelled import predictions
from seatrial.evaluation.slices.judged import on_slices, reported
from seatrial.evidence import rates
from seatrial.evidence.absolute import absolute
from seatrial.evidence.agreement import differing
from seatrial.evidence.clusters import Clusters
from seatrial.evidence.paired import compare
from seatrial.inference.answer import Answer
from seatrial.outcome import Direction, Measure, Verdict
from seatrial.registry.opened import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.declared import Slice
    from seatrial.metrics import Metric, Predictions
    from seatrial.registry.registry import Registry, Version

EXAMPLES = 5
"""Rows on which the two differ most that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A metric of both on the same rows, and how much worse the first is (positive: worse)."""

    name: str
    rows: int
    first: Measure
    second: Measure
    degradation: Measure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A row, counted from 1, to which the two give different answers."""

    row: int
    truth: object
    first: object
    second: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """``share`` of the rows with two different answers, and who is right where they differ.

    Of numbers ``share`` is the mean squared difference over the target's variance, and the counts
    say whose answer is closer to the truth.
    """

    share: Measure
    only_first: int
    only_second: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All of it. ``verdict`` is ``skip`` unless a margin was given."""

    verdict: Verdict
    metrics: tuple[Beside, ...]
    slices: tuple[Beside, ...]
    disagreement: Disagreement
    noise_floor: Measure | None


def beside(
    registry: Registry,
    first: Version,
    second: Version,
    rows: Labelled,
    *,
    metrics: Sequence[Metric] = (),
    slices: Sequence[Slice] = (),
    margin: float | None = None,
    seed: int,
) -> Comparison:
    """Compare them by the metric of ``rows``, by ``metrics`` beside it, and on ``slices``.

    ``margin`` is how much worse the first may be by the metric of ``rows``, in its units.
    StoreError when the rows lack a column that one of them reads.
    """
    mine, theirs = (predictions(opened(registry, v), rows, str(v)) for v in (first, second))
    judged = [rows.metric, *(each for each in metrics if each.name != rows.metric.name)]
    found = [_beside(replace(rows, metric=each), mine, theirs, seed) for each in judged]
    verdict = Verdict.SKIP
    if margin is not None:
        held = compare(
            rows.metric, rows.labels, mine, theirs, margin, seed=seed, groups=rows.groups
        )
        found[0] = replace(found[0], degradation=held)
        verdict = held.verdict
    return Comparison(
        verdict=verdict,
        metrics=tuple(found),
        slices=tuple(_on_slices(rows, slices, mine, theirs, seed)),
        disagreement=_disagreement(rows, mine, theirs),
        noise_floor=_floor(registry, first, rows, mine),
    )


def _beside(rows: Labelled, mine: Predictions, theirs: Predictions, seed: int) -> Beside:
    metric, groups = rows.metric, rows.groups
    one, other = (
        absolute(metric, rows.labels, each, None, seed=seed, groups=groups)
        for each in (mine, theirs)
    )
    apart = compare(metric, rows.labels, mine, theirs, math.inf, seed=seed, groups=groups)
    return Beside(
        name=metric.name, rows=rows.rows, first=one, second=other, degradation=reported(apart)
    )


def _on_slices(
    rows: Labelled,
    slices: Sequence[Slice],
    mine: Predictions,
    theirs: Predictions,
    seed: int,
) -> list[Beside]:
    first = on_slices(rows, mine, slices, seed=seed, other=theirs)
    second = on_slices(rows, theirs, slices, seed=seed)
    return [
        Beside(
            name=one.slice.name,
            rows=len(one.slice.rows),
            first=one.measure,
            second=other.measure,
            degradation=one.degradation,
        )
        for one, other in zip(first, second, strict=True)
    ]


def _disagreement(rows: Labelled, mine: Predictions, theirs: Predictions) -> Disagreement:
    numbers = rows.metric.problem == "numbers"
    variance = float(np.var(rows.labels.astype(np.float64))) if numbers else 0.0
    apart = differing(_answer(theirs), _answer(mine), variance=variance)
    costs = [_cost(rows.labels, each, numbers=numbers) for each in (mine, theirs)]
    effect = Clusters.of(rows.groups).effect(apart) if rows.groups is not None else 1.0
    low, high = rates.of_one(float(apart.sum()) / effect, len(apart) / effect)
    share = Measure(
        name="disagreement",
        value=float(apart.mean()),
        low=low,
        high=high,
        direction=Direction.AT_MOST,
        n=rows.rows,
    )
    most = np.argsort(-_distance(apart, mine, theirs), kind="stable")[:EXAMPLES]
    return Disagreement(
        share=share,
        only_first=int(np.count_nonzero(costs[0] < costs[1])),
        only_second=int(np.count_nonzero(costs[1] < costs[0])),
        examples=tuple(
            Example(
                row=int(row) + 1,
                truth=_plain(rows.labels[row]),
                first=_plain(mine.label[row]),
                second=_plain(theirs.label[row]),
            )
            for row in most
            if apart[row]
        ),
    )


def _distance(
    apart: NDArray[np.float64], mine: Predictions, theirs: Predictions
) -> NDArray[np.float64]:
    """[n] what rows are shown by: different answers first, and of these the surest ones."""
    if mine.probabilities is None or theirs.probabilities is None:
        return apart
    if mine.classes != theirs.classes:
        return apart
    both = mine.probabilities.astype(np.float64) - theirs.probabilities
    return np.asarray(apart + np.abs(both).sum(axis=1) / 4)


def _cost(labels: NDArray[Any], answers: Predictions, *, numbers: bool) -> NDArray[np.float64]:
    if numbers:
        return np.asarray(np.abs(labels.astype(np.float64) - answers.label))
    return np.asarray(labels != answers.label, dtype=np.float64)


def _floor(
    registry: Registry, version: Version, rows: Labelled, own: Predictions
) -> Measure | None:
    others = noise.answers_of_others(registry, version, rows)
    return noise.between_seeds(rows, own, others) if others else None


def _answer(answers: Predictions) -> Answer:
    return Answer(answers.label, answers.probabilities)


def _plain(value: Any) -> object:
    """As JSON has it."""
    return value.item() if isinstance(value, np.generic) else value

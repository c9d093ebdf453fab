"""How good is the model on each slice, and how much worse than another on the same rows?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.evaluation.slices.partition import FEWEST
from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.metrics import why_undefined
from seatrial.outcome import Direction, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.declared import Slice
    from seatrial.metrics import Predictions


@dataclass(frozen=True, slots=True)
class OnSlice:
    """The metric on a slice, and the degradation from another model there, where there is one.

    ``why`` says why nothing is judged on it, where nothing is.
    """

    slice: Slice
    measure: Measure
    degradation: Measure | None = None
    why: str = ""


def on_slices(
    rows: Labelled,
    answers: Predictions,
    slices: Iterable[Slice],
    limit: float | None = None,
    *,
    seed: int,
    other: Predictions | None = None,
) -> tuple[OnSlice, ...]:
    """The metric of ``rows`` on each slice with one-sided 95 % bounds, held against ``limit``.

    ``answers`` are the model's to all rows, ``other`` another model's; the paired degradation is
    reported without a limit. A slice that somebody named and on which the metric has no value
    is not settled (``inconclusive``) when a limit is demanded; one that merely came out of a
    column, or came out with fewer than 50 rows, is told and not judged.

    >>> import numpy as np
    >>> from seatrial.evaluation.labelled import Labelled
    >>> from seatrial.evaluation.slices.declared import Slice
    >>> from seatrial.metrics import Predictions, get
    >>> truth = np.arange(200) % 2
    >>> rows = Labelled("d", {}, truth, get("accuracy"), None)
    >>> half = Slice("gate = A", np.arange(100), named=True)
    >>> (found,) = on_slices(rows, Predictions(truth, None, (0, 1)), [half], 0.9, seed=1)
    >>> found.measure.name, found.measure.value, found.measure.verdict.value
    ('accuracy on gate = A', 1.0, 'pass')
    """
    return tuple(_on(rows, answers, each, limit, seed, other) for each in slices)


def _on(
    rows: Labelled,
    answers: Predictions,
    part: Slice,
    limit: float | None,
    seed: int,
    other: Predictions | None,
) -> OnSlice:
    metric, inside = rows.metric, rows.part(part.rows)
    mine = answers.rows(part.rows)
    why = part.why or why_undefined(metric, inside.labels, mine)
    if not why and not part.named and inside.rows < FEWEST:
        why = f"only {inside.rows} rows"
    judged_at = limit if part.named or not why else None
    if not inside.rows or why_undefined(metric, inside.labels, mine):
        measure = _nothing(rows, part, judged_at)
        return OnSlice(part, measure, why=why)
    measure = absolute(metric, inside.labels, mine, judged_at, seed=seed, groups=inside.groups)
    degradation = None
    if other is not None:
        theirs = other.rows(part.rows)
        if not why_undefined(metric, inside.labels, theirs):
            degradation = reported(
                compare(
                    metric, inside.labels, mine, theirs, math.inf, seed=seed, groups=inside.groups
                )
            )
    return OnSlice(part, named(measure, part), degradation and named(degradation, part), why)


def named(measure: Measure, part: Slice) -> Measure:
    """The measure with the slice in its name."""
    return replace(measure, name=f"{measure.name} on {part.name}")


def reported(measure: Measure) -> Measure:
    """A measure that decides nothing."""
    return replace(measure, limit=None, verdict=Verdict.SKIP)


def _nothing(rows: Labelled, part: Slice, limit: float | None) -> Measure:
    metric = rows.metric
    return Measure(
        name=f"{metric.name} on {part.name}",
        value=None,
        limit=limit,
        direction=Direction.AT_LEAST if metric.greater_is_better else Direction.AT_MOST,
        n=len(part.rows),
        verdict=Verdict.SKIP if limit is None else Verdict.INCONCLUSIVE,
    )

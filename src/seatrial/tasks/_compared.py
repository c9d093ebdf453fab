"""The candidate by several metrics, and the same beside production on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake
from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.inference.answer import Answer
from seatrial.metrics import why_undefined
from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict
from seatrial.tasks._candidate import candidate, predictions, production, same_model
from seatrial.tasks._clauses import comparison_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Metric, Predictions
    from seatrial.registry.registry import Version
    from seatrial.tasks import Context


@dataclass(frozen=True, slots=True)
class Beside:
    """What production answers to the rows; ``why`` there is nothing to compare with."""

    version: Version | None = None
    answers: Predictions | None = None
    why: str = ""


def beside(context: Context, rows: Labelled) -> Beside:
    """The pinned production version's answers, unless there is none, or it is this very model."""
    serving, mine = production(context), candidate(context)
    if serving is None:
        return Beside(why="comparison skipped: nothing is in production yet")
    if same_model(context, mine, serving):
        why = f"comparison skipped: this is the model in production ({serving})"
        return Beside(serving, why=why)
    return Beside(serving, predictions(context, serving, rows))


def bounded(
    rows: Labelled, answers: Predictions, limits: Mapping[Metric, float | None], seed: int
) -> tuple[Measure, ...]:
    """Each metric with its bounds, against its limit where it has one."""
    return tuple(
        absolute(metric, rows.labels, answers, limit, seed=seed, groups=rows.groups)
        for metric, limit in limits.items()
    )


def compared(
    rows: Labelled,
    answers: Predictions,
    other: Predictions | None,
    margins: Mapping[Metric, float | None],
    seed: int,
) -> tuple[Measure, ...]:
    """How much worse the model is by each metric; without a margin it is only reported.

    Without ``other`` answers all of them are skipped.
    """
    found = []
    for metric, margin in margins.items():
        if other is None:
            skipped = Measure(
                name=f"degradation.{metric.name}",
                value=None,
                limit=margin,
                direction=Direction.AT_MOST,
                n=rows.rows,
            )
            found.append(skipped)
            continue
        widest = math.inf if margin is None else margin
        measure = compare(
            metric, rows.labels, answers, other, widest, seed=seed, groups=rows.groups
        )
        if margin is None:
            measure = replace(measure, limit=None, verdict=Verdict.SKIP)
        found.append(measure)
    return tuple(found)


def compared_said(known: Beside, measures: Sequence[Measure]) -> str:
    """The comparison by the primary metric, the first, in a clause."""
    if known.version is None or known.answers is None:
        return known.why
    return comparison_said(measures[0], known.version)


def broken_answers(rows: Labelled, answers: Predictions) -> Outcome | None:
    """The verdict on a model that answers with something that is no number; ``None``: it does not.

    Nothing can be measured then, but the harm is certain.
    """
    finite = Answer(answers.label, answers.probabilities).finite
    if finite.all():
        return None
    count, first = int((~finite).sum()), int(finite.argmin()) + 1
    what = f"the model answers {count} of {rows.rows} rows with a number that is not finite"
    return Outcome(
        verdict=Verdict.FAIL,
        reason=what,
        findings=(
            Finding(
                what=f"{what}, first row {first}",
                where=f"dataset {rows.dataset}",
                hint="look for missing or infinite features in training",
            ),
        ),
    )


def without_value(
    rows: Labelled, answers: Predictions, metrics: Iterable[Metric]
) -> Iterator[Finding]:
    """Each metric that has no value on these rows, and why."""
    for metric in metrics:
        why = why_undefined(metric, rows.labels, answers)
        if why:
            yield Finding(
                what=f"{metric.name} has no value: {why}",
                where=f"dataset {rows.dataset}",
                hint="judge on rows where it has one, or by another metric",
            )


def demand_fit(rows: Labelled, answers: Predictions, metrics: Iterable[Metric], where: str) -> None:
    """FileError, at ``where``, for metrics of another problem, or of two classes only."""
    mistakes = []
    for metric in metrics:
        if metric.problem != rows.metric.problem:
            what = f"{metric.name} is for {metric.problem}, the target of {rows.dataset} is"
            mistakes.append(Mistake(f"{what} {rows.metric.problem}", where))
        elif metric.binary_only and len(answers.classes) != 2:  # noqa: PLR2004 - its two classes
            what = f"{metric.name} needs two classes, the model knows {len(answers.classes)}"
            mistakes.append(Mistake(what, where))
    if mistakes:
        raise FileError(*(replace(m, fix="take it out of `metrics:`") for m in mistakes))

"""Every validation row: good enough, no worse than production, and the same over the wire?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta

from seatrial.errors import FileError
from seatrial.evaluation.behaviour.asking import Refusal, ask
from seatrial.evaluation.path import walked
from seatrial.evidence import power
from seatrial.evidence.gate import gate
from seatrial.metrics import Predictions
from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict
from seatrial.registry.opened import opened, served
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._agreed import disagreed, target_variance
from seatrial.tasks._behaviour import behave
from seatrial.tasks._bounds import bound_demanded, check_threshold, named_metric, provable
from seatrial.tasks._candidate import candidate, demand_register, labelled, predictions
from seatrial.tasks._clauses import bound_said, unsettled
from seatrial.tasks._compared import (
    Beside,
    beside,
    bounded,
    broken_answers,
    compared,
    compared_said,
    without_value,
)
from seatrial.tasks._drawn import kept
from seatrial.tasks._drifted import recent_drift
from seatrial.tasks._held_out import demanded, refusal, seen, use, worn
from seatrial.tasks._noise import noise_floor
from seatrial.tasks._noise import said as noise_said
from seatrial.tasks._policy import Judged, rollback_margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from seatrial.errors import Mistake
    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Metric

DEFAULT_MARGIN = 0.05

TOLD = 5
"""Kinds of difference on the path of a request that are told; the rest is counted."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one part of the test says."""

    said: str = ""
    measures: tuple[Measure, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)


class IntegrationTests(Task, frozen=True, kw_only=True):
    """Parameters of ``integration_tests``. ``margin`` is in units of the metric.

    ``model_tests``: whether what every model must keep is asked here too, unless an earlier
    ``model_tests`` of the file asks it.
    """

    judges_on_dataset: ClassVar[bool] = True

    runs: Literal["full_validation_set"] | Annotated[int, Meta(ge=1)] = "full_validation_set"
    performance_threshold: float | None = None
    compared_to: Literal["production_model"] | None = None
    margin: Annotated[float, Meta(gt=0)] | None = None
    dataset: str = "validation_data"
    metric: str | None = None
    model_tests: bool = True

    def inputs(self, scope: Scope) -> Iterable[Input]:
        """The evaluation rows."""
        del scope
        return (Input(self.dataset, labelled=True),)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is a bound or a comparison; the margin is known."""
        yield from demand_register(scope)
        yield from check_dataset(scope, self.dataset, "dataset")
        if self.performance_threshold is None and self.compared_to is None:
            yield scope.mistake(
                "integration_tests demands nothing",
                "performance_threshold",
                fix="add `performance_threshold: 0.82` or `compared_to: production_model`",
            )
        if self.performance_threshold is not None:
            yield from check_threshold(scope, self.performance_threshold, self.metric)
        try:
            unbounded = (metric := named_metric(scope, self.metric)) and not metric.bounded
        except FileError:
            return  # told with the threshold
        if self.compared_to and unbounded and self._margin(scope) is None:
            yield _no_margin(scope, metric.name if metric else "the metric")

    def demands(self, scope: Scope) -> Iterable[str]:
        """Bound and comparison, and what the rows at hand can prove."""
        rows = _count(scope, self.dataset, self.runs)
        if self.performance_threshold is not None:
            where = f"{rows} rows of {self.dataset}"
            yield bound_demanded(scope, self.metric, self.performance_threshold, where)
            yield from provable(scope, self.metric, self.performance_threshold, rows)
        if self.compared_to:
            margin = self._margin(scope) or DEFAULT_MARGIN
            yield (
                f"at most {margin:g} worse than production on the same rows (upper 95 % bound);"
                " skipped for a first version"
            )
            yield from _provable(scope, self.metric, rows, margin)
        yield (
            "every row, sent as users send it through the serving code, is answered as the model"
            " itself answers"
        )
        elsewhere = _own_model_tests(scope)
        if elsewhere:
            yield f"what every model must keep is asked by {elsewhere}"
        elif self.model_tests:
            yield "what every model must keep: the checks of model_tests, on up to 1000 rows"
        else:
            yield "what every model must keep is not asked, by `model_tests: false`"
        yield from demanded(scope, self.dataset)

    def run(self, context: Context) -> Outcome:
        """Refuse rows that were trained on; then every part, all of it reported."""
        known = seen(context, self.dataset)
        refused = refusal(known)
        if refused is not None:
            return refused
        rows = labelled(context, self.dataset, self.metric)
        if isinstance(self.runs, int):
            rows = rows.drawn(self.runs, context.scope.pipeline.seed)
        parts = (self._quality(context, rows), _path(context, rows), self._behaviour(context, rows))
        measures = [measure for part in parts for measure in part.measures]
        found = gate(measures)
        said = [part.said for part in parts]
        if found.verdict is Verdict.INCONCLUSIVE:
            said.append(found.reason)
        return Outcome(
            verdict=found.verdict,
            reason="; ".join(filter(None, said)),
            measures=found.measures,
            findings=(
                *(finding for part in parts for finding in part.findings),
                *(each.finding for each in known),
                *worn(context, self.dataset, measures[0]),
                *recent_drift(context.registry, context.run.model),
            ),
            facts={
                **{name: fact for part in parts for name, fact in part.facts.items()},
                **use(context, self.dataset),
            },
            blobs={name: digest for part in parts for name, digest in part.blobs.items()},
        )

    def _quality(self, context: Context, rows: Labelled) -> _Part:
        """The bound and the comparison; a model that answers no numbers fails without either."""
        limit = self.performance_threshold
        mine = _answers(context, rows)
        if isinstance(mine, Outcome):
            return _Part(mine.reason, (_no_value(rows, limit),), mine.findings)
        seed = context.scope.pipeline.seed
        own = bounded(rows, mine, {rows.metric: limit}, seed)
        serving, worse = Beside(), tuple[Measure, ...]()
        if self.compared_to:
            serving = beside(context, rows)
            margins = self._margins(context.scope, rows.metric)
            worse = compared(rows, mine, serving.answers, margins, seed)
        floor = noise_floor(context, rows, mine)
        said = [bound_said(own[0]), compared_said(serving, worse) if worse else ""]
        said += [noise_said(floor[0], *worse)] if floor else []
        other = serving.answers
        judged = Judged(
            metric=rows.metric.name,
            promised=limit,
            variance=target_variance(rows),
            disagreement=None if other is None else disagreed(rows, mine, other),
        )
        passed = {"held_out_bound": rows.metric.name} if own[0].verdict is Verdict.PASS else {}
        return _Part(
            "; ".join(filter(None, said)),
            (*own, *worse, *floor),
            (
                *without_value(rows, mine, [rows.metric]),
                *unsettled((*own, *worse), self.dataset),
            ),
            {Judged.FACT: asdict(judged), **passed},
            kept(context, rows, mine, serving),
        )

    def _behaviour(self, context: Context, rows: Labelled) -> _Part:
        """What every model must keep, unless it is asked elsewhere or not wanted."""
        elsewhere = _own_model_tests(context.scope)
        if elsewhere:
            return _Part(f"what every model must keep was asked by {elsewhere}")
        if not self.model_tests:
            return _Part()
        measures, findings = behave(context, rows)
        return _Part(_kept_said(measures), measures, findings)

    def _margins(self, scope: Scope, metric: Metric) -> dict[Metric, float | None]:
        margin = self._margin(scope)
        if margin is None and not metric.bounded:
            raise FileError(_no_margin(scope, metric.name))
        return {metric: margin or DEFAULT_MARGIN}

    def _margin(self, scope: Scope) -> float | None:
        """The task's own, else the rollback number, else none."""
        return self.margin if self.margin is not None else rollback_margin(scope)


def _answers(context: Context, rows: Labelled) -> Predictions | Outcome:
    """What the candidate answers; the verdict on it where these are no answers."""
    version = candidate(context)
    predictions(context, version, rows.part(np.arange(0)))  # tells of columns that the rows lack
    model = opened(context.registry, version)
    answer = ask(model, rows.features)
    if isinstance(answer, Refusal):
        what = f"{version} does not answer the rows of {rows.dataset}: {answer.sentence}"
        finding = Finding(what=what, where=f"dataset {rows.dataset}")
        return Outcome(verdict=Verdict.FAIL, reason=what, findings=(finding,))
    answers = Predictions(answer.label, answer.probabilities, model.signature.classes)
    return broken_answers(rows, answers) or answers


def _no_value(rows: Labelled, limit: float | None) -> Measure:
    """The metric of a model whose answers cannot be judged, which is harm enough."""
    return Measure(
        name=rows.metric.name, value=None, limit=limit, n=rows.rows, verdict=Verdict.FAIL
    )


def _path(context: Context, rows: Labelled) -> _Part:
    """The way of a request through the serving code, beside the model itself."""
    version, seed = candidate(context), context.scope.pipeline.seed
    model, serving = opened(context.registry, version), served(context.registry, version)
    found = walked(model, serving, rows.features, seed=seed)
    measure = Measure(
        name="path.differs",
        value=float(found.differing),
        limit=0.0,
        direction=Direction.AT_MOST,
        n=found.rows,
        verdict=Verdict.FAIL if found.differing else Verdict.PASS,
    )
    said = (
        f"{found.differing} of {found.rows} rows come back otherwise through the serving code"
        if found.differing
        else "through the serving code every row is answered alike"
    )
    findings = [
        Finding(
            what=f"sent {each.spoken}, row {each.first + 1} {each.what}"
            + (f"; {each.rows} rows go that way" if each.rows > 1 else ""),
            where=f"dataset {rows.dataset}",
            hint="users would be answered so: look at the columns and types of the signature",
        )
        for each in found.differences
    ]
    more = len(findings) - TOLD
    if more > 0:
        findings = [*findings[:TOLD], Finding(what=f"{more} more kinds of difference on the path")]
    return _Part(said, (measure,), tuple(findings))


def _kept_said(measures: tuple[Measure, ...]) -> str:
    """The checks of behaviour in a clause.

    >>> _kept_said((Measure(name="behaviour.finite", value=3, limit=0, verdict=Verdict.FAIL),
    ...             Measure(name="behaviour.shape", value=0, limit=0, verdict=Verdict.PASS)))
    '1 of 2 checks of behaviour fails: finite'
    """
    judged = [each for each in measures if each.verdict is not Verdict.SKIP]
    failed = [each.name.partition(".")[2] for each in judged if each.verdict is Verdict.FAIL]
    if not failed:
        return f"{len(judged)} checks of behaviour pass" if judged else ""
    fail = "fails" if len(failed) == 1 else "fail"
    return f"{len(failed)} of {len(judged)} checks of behaviour {fail}: {', '.join(failed)}"


def _own_model_tests(scope: Scope) -> str:
    """Where the file asks before what every model must keep; empty when it does not."""
    earlier = (at for at, task in scope.earlier() if type(task).__name__ == "ModelTests")
    return next(earlier, "")


def _no_margin(scope: Scope, metric: str) -> Mistake:
    return scope.mistake(
        f"{metric} has no natural margin",
        "compared_to",
        fix="add `margin: …`, how much worse than production is still good enough",
    )


def _provable(scope: Scope, own: str | None, rows: int, margin: float) -> Iterator[str]:
    """What so many rows can prove of a comparison; of losses only the data can tell."""
    metric = named_metric(scope, own)
    if metric is not None and metric.method != "count":
        return
    most = power.provable(rows, margin)
    if most is not None:
        yield f"with {rows} rows an observed degradation of up to {most:.3f} proves that"
    elif margin < power.DISCORDANT:
        yield (
            f"with {rows} rows no observed degradation proves {margin:g}; for two equal versions"
            f" it takes about {power.rows_to_prove(margin)}"
        )
    else:
        yield f"with {rows} rows no observed degradation proves {margin:g}"


def _count(scope: Scope, dataset: str, runs: str | int) -> int:
    """How many rows will judge."""
    from seatrial.data.opening import open_rows  # noqa: PLC0415 - loads duckdb, for the plan only

    rows = open_rows(scope.dataset(dataset)).rows
    return min(rows, runs) if isinstance(runs, int) else rows

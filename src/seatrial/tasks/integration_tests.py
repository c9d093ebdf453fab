"""Every validation row: is the model good enough, and no worse than the one in production?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from seatrial.errors import FileError
from seatrial.evidence import power
from seatrial.evidence.absolute import absolute
from seatrial.evidence.gate import gate
from seatrial.evidence.paired import compare
from seatrial.outcome import Direction, Finding, Measure, Outcome, Verdict
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._agreed import disagreed, target_variance
from seatrial.tasks._bounds import check_threshold, named_metric, provable, worst
from seatrial.tasks._candidate import (
    candidate,
    demand_register,
    labelled,
    predictions,
    production,
    same_model,
)
from seatrial.tasks._drifted import recent_drift
from seatrial.tasks._held_out import demanded, refusal, seen, use, worn
from seatrial.tasks._policy import Judged, rollback_margin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.errors import Mistake
    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Predictions
    from seatrial.registry.registry import Version

DEFAULT_MARGIN = 0.05


class IntegrationTests(Task, frozen=True, kw_only=True):
    """Parameters of ``integration_tests``. ``margin`` is in units of the metric."""

    judges_on_dataset: ClassVar[bool] = True

    runs: Literal["full_validation_set"] | Annotated[int, Meta(ge=1)] = "full_validation_set"
    performance_threshold: float | None = None
    compared_to: Literal["production_model"] | None = None
    margin: Annotated[float, Meta(gt=0)] | None = None
    dataset: str = "validation_data"
    metric: str | None = None

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
            yield (
                f"metric at least {self.performance_threshold:g} on {rows} rows of {self.dataset}"
                " (lower 95 % bound)"
            )
            yield from provable(scope, self.metric, self.performance_threshold, rows)
        if self.compared_to:
            margin = self._margin(scope) or DEFAULT_MARGIN
            yield (
                f"at most {margin:g} worse than production on the same rows (upper 95 % bound);"
                " skipped for a first version"
            )
            yield from _provable(scope, self.metric, rows, margin)
        yield from demanded(scope, self.dataset)

    def run(self, context: Context) -> Outcome:
        """Refuse rows that were trained on; then the bound and the comparison, both reported."""
        known = seen(context, self.dataset)
        refused = refusal(known)
        if refused is not None:
            return refused
        seed = context.scope.pipeline.seed
        rows = labelled(context, self.dataset, self.metric)
        if isinstance(self.runs, int):
            rows = rows.drawn(self.runs, seed)
        measures: list[Measure] = []
        said: list[str] = []
        mine = predictions(context, candidate(context), rows)
        limit = self.performance_threshold
        measure = absolute(rows.metric, rows.labels, mine, limit, seed=seed, groups=rows.groups)
        measures.append(measure)
        said.append(_bound_said(measure))
        disagreement: float | None = None
        if self.compared_to:
            compared, why, disagreement = self._compared(context, rows, mine)
            measures.append(compared)
            said.append(why)
        found = gate(measures)
        if found.verdict is Verdict.INCONCLUSIVE:
            said.append(found.reason)
        bounded = limit is not None and measure.verdict is Verdict.PASS
        return Outcome(
            verdict=found.verdict,
            reason="; ".join(said),
            measures=found.measures,
            findings=(
                *_unsettled(measures, self.dataset),
                *(each.finding for each in known),
                *worn(context, self.dataset, measure),
                *recent_drift(context.registry, context.run.model),
            ),
            facts={
                Judged.FACT: asdict(_judged(rows, limit, disagreement)),
                **({"held_out_bound": rows.metric.name} if bounded else {}),
                **use(context, self.dataset),
            },
        )

    def _compared(
        self, context: Context, rows: Labelled, answers: Predictions
    ) -> tuple[Measure, str, float | None]:
        """Paired with the pinned production version; skipped when there is nothing to pair.

        The measure, what to say of it, and the share of rows with two different answers.
        """
        margin = self._margin(context.scope)
        if margin is None and not rows.metric.bounded:
            raise FileError(_no_margin(context.scope, rows.metric.name))
        margin = margin or DEFAULT_MARGIN
        serving, mine = production(context), candidate(context)
        skipped = Measure(
            name=f"degradation.{rows.metric.name}",
            value=None,
            limit=margin,
            direction=Direction.AT_MOST,
            n=rows.rows,
        )
        if serving is None:
            return skipped, "comparison skipped: nothing is in production yet", None
        if same_model(context, mine, serving):
            why = f"comparison skipped: this is the model in production ({serving})"
            return skipped, why, None
        theirs = predictions(context, serving, rows)
        measure = compare(
            rows.metric,
            rows.labels,
            answers,
            theirs,
            margin,
            seed=context.scope.pipeline.seed,
            groups=rows.groups,
        )
        return measure, _comparison_said(measure, serving), disagreed(rows, answers, theirs)

    def _margin(self, scope: Scope) -> float | None:
        """The task's own, else the rollback number, else none."""
        return self.margin if self.margin is not None else rollback_margin(scope)


def _unsettled(measures: Iterable[Measure], dataset: str) -> Iterator[Finding]:
    for measure in measures:
        if measure.verdict is Verdict.INCONCLUSIVE:
            what, hint = f"{measure.name} is not settled", power.settles(measure)
            yield Finding(what=what, where=dataset, hint=hint)


def _judged(rows: Labelled, promised: float | None, disagreement: float | None) -> Judged:
    return Judged(
        metric=rows.metric.name,
        promised=promised,
        variance=target_variance(rows),
        disagreement=disagreement,
    )


def _no_margin(scope: Scope, metric: str) -> Mistake:
    return scope.mistake(
        f"{metric} has no natural margin",
        "compared_to",
        fix="add `margin: …`, how much worse than production is still good enough",
    )


def _bound_said(measure: Measure) -> str:
    limit = "" if measure.limit is None else f", limit {measure.limit:g}"
    if measure.low is None or measure.high is None:
        return f"{measure.name} {measure.value:.4f} on {measure.n} rows{limit}"
    return (
        f"{measure.name} {measure.value:.4f} on {measure.n} rows"
        f" (between {measure.low:.4f} and {measure.high:.4f}{limit})"
    )


def _comparison_said(measure: Measure, serving: Version) -> str:
    value = measure.value or 0.0
    said = f"{abs(value):.4f} {'worse' if value > 0 else 'better'} than version {serving.version}"
    bound = worst(measure.high, ".4f")
    return f"{said} on the same rows ({bound}margin {measure.limit:g})"


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

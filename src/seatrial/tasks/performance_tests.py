"""How good and how fast is the model: every metric with its interval, slices, time and memory."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from seatrial import metrics as by_name
from seatrial.errors import FileError, Mistake, nearest
from seatrial.evidence.gate import gate
from seatrial.outcome import Measure, Outcome, Verdict
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._agreed import disagreed, target_variance
from seatrial.tasks._bounds import (
    bound_demanded,
    check_threshold,
    end,
    named_metric,
    provable,
    side,
)
from seatrial.tasks._candidate import candidate, demand_register, labelled, predictions
from seatrial.tasks._clauses import bound_said, unsettled
from seatrial.tasks._compared import (
    Beside,
    beside,
    bounded,
    broken_answers,
    compared,
    compared_said,
    demand_fit,
    without_value,
)
from seatrial.tasks._drawn import kept
from seatrial.tasks._drifted import recent_drift
from seatrial.tasks._held_out import demanded, refusal, seen, use, worn
from seatrial.tasks._noise import noise_floor
from seatrial.tasks._noise import said as noise_said
from seatrial.tasks._policy import Judged, rollback_margin
from seatrial.tasks._slices import Word, check_slices, sliced
from seatrial.tasks._speed import Latency, Speed, Throughput, measured
from seatrial.tasks._speed import demanded as speed_demanded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Metric, Predictions

DEFAULT_MARGIN = 0.05

Positive = Annotated[float, Meta(gt=0)]


class PerformanceTests(Task, frozen=True, kw_only=True):
    """Parameters of ``performance_tests``. Limits and margins are in units of their metric."""

    judges_on_dataset: ClassVar[bool] = True

    dataset: str = "validation_data"
    metric: str | None = None
    performance_threshold: float | None = None
    compared_to: Literal["production_model"] | None = None
    margin: Positive | None = None
    metrics: dict[str, float | None] = {}  # noqa: RUF012 - msgspec copies it
    margins: dict[str, Positive] = {}  # noqa: RUF012 - likewise
    slices: tuple[Word, ...] = ()
    slice_threshold: float | None = None
    worst_slice: bool = True
    latency: Latency = Latency()
    throughput: Throughput = Throughput()
    memory_mb: Positive | None = None
    size_mb: Positive | None = None

    def inputs(self, scope: Scope) -> Iterable[Input]:
        """The evaluation rows."""
        del scope
        return (Input(self.dataset, labelled=True),)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """Every metric is known and fits; limits can be reached; slices can be read."""
        yield from demand_register(scope)
        yield from check_dataset(scope, self.dataset, "dataset")
        yield from self._check_primary(scope)
        yield from self._check_further(scope)
        yield from check_slices(scope, self.slices)
        if self.slice_threshold is not None and not self.slices and not self.worst_slice:
            yield scope.mistake(
                "there is no slice to hold slice_threshold against",
                "slice_threshold",
                fix="name some, such as `slices: [origin]`, or let the worst one be searched",
            )

    def demands(self, scope: Scope) -> Iterable[str]:
        """Every bound, what is only reported, and what the rows at hand can prove."""
        rows = _count(scope, self.dataset)
        if self.performance_threshold is not None:
            where = f"{rows} rows of {self.dataset}"
            yield bound_demanded(scope, self.metric, self.performance_threshold, where)
            yield from provable(scope, self.metric, self.performance_threshold, rows)
        for word, limit in self.metrics.items():
            further = by_name.get(word)
            demand = "is reported" if limit is None else f"{side(further)} {limit:g}"
            yield f"{further.name} {demand}" + ("" if limit is None else f" ({end(further)} bound)")
        if self.compared_to:
            yield from self._demands_beside(scope)
        yield from self._demands_of_slices(scope)
        yield from speed_demanded(self._speed)
        yield from demanded(scope, self.dataset)

    def run(self, context: Context) -> Outcome:
        """Refuse rows that were trained on; then everything that is asked, all of it reported."""
        known = seen(context, self.dataset)
        refused = refusal(known)
        if refused is not None:
            return refused
        seed = context.scope.pipeline.seed
        rows = labelled(context, self.dataset, self.metric)
        mine = predictions(context, candidate(context), rows)
        limits = self._limits(rows.metric)
        demand_fit(rows, mine, limits, str(context.scope.entry.where("metrics")))
        broken = broken_answers(rows, mine)
        if broken is not None:
            return broken
        serving = beside(context, rows) if self.compared_to else Beside()
        own = bounded(rows, mine, limits, seed)
        worse: tuple[Measure, ...] = ()
        if self.compared_to:
            margins = self._margins(context.scope, limits)
            worse = compared(rows, mine, serving.answers, margins, seed)
        floor = noise_floor(context, rows, mine)
        parts = sliced(
            context,
            self.slices,
            rows,
            mine,
            other=serving.answers,
            limit=self.slice_threshold,
            search=self.worst_slice,
        )
        speed, speed_findings = measured(context, self._speed, rows)
        measures = (*own, *worse, *floor, *parts.measures, *speed)
        said = [bound_said(own[0]), compared_said(serving, worse) if worse else "", parts.said]
        said += [noise_said(floor[0], *worse[:1])] if floor else []
        verdict, why = _verdict(measures)
        passed = own[0].verdict is Verdict.PASS
        return Outcome(
            verdict=verdict,
            reason="; ".join(
                filter(None, [*said, why] if verdict is Verdict.SKIP else [why, *said])
            ),
            measures=measures,
            findings=(
                *without_value(rows, mine, limits),
                *unsettled((each for each in own if each.value is not None), self.dataset),
                *unsettled(worse, self.dataset),
                *parts.findings,
                *speed_findings,
                *(each.finding for each in known),
                *worn(context, self.dataset, own[0]),
                *recent_drift(context.registry, context.run.model),
            ),
            facts={
                **self._judged(context, rows, mine, serving),
                **({"held_out_bound": rows.metric.name} if passed else {}),
                **use(context, self.dataset),
            },
            blobs={"slices": parts.blob, **kept(context, rows, mine, serving)},
        )

    @property
    def _speed(self) -> Speed:
        return Speed(
            latency=self.latency,
            throughput=self.throughput,
            memory_mb=self.memory_mb,
            size_mb=self.size_mb,
        )

    def _limits(self, primary: Metric) -> dict[Metric, float | None]:
        """Every metric with its limit, the primary one first."""
        further = {by_name.get(word): limit for word, limit in self.metrics.items()}
        return {primary: self.performance_threshold, **further}

    def _margins(self, scope: Scope, judged_by: Iterable[Metric]) -> dict[Metric, float | None]:
        """How much worse each may be: as named, else by its range; None: it is only reported."""
        primary, *further = judged_by
        usual = self._primary_margin(scope)
        if usual is None and not primary.bounded:
            raise FileError(_no_margin(scope, primary.name))
        return {
            primary: usual or DEFAULT_MARGIN,
            **{each: self._margin(each) for each in further},
        }

    def _primary_margin(self, scope: Scope) -> float | None:
        """The task's own, else the rollback number, else none."""
        return self.margin if self.margin is not None else rollback_margin(scope)

    def _margin(self, metric: Metric) -> float | None:
        return self.margins.get(metric.name, DEFAULT_MARGIN if metric.bounded else None)

    def _check_primary(self, scope: Scope) -> Iterator[Mistake]:
        """Its name, its limit on all rows and on slices, and its margin."""
        try:
            metric = named_metric(scope, self.metric)
        except FileError as error:
            for each in error.mistakes:
                yield scope.mistake(each.what, "metric", nearest=each.nearest, fix=each.fix)
            return
        if self.performance_threshold is not None:
            yield from check_threshold(scope, self.performance_threshold, self.metric)
        if self.slice_threshold is not None and metric is not None:
            yield from _out_of_range(metric, self.slice_threshold, scope, "slice_threshold")
        unbounded = metric is not None and not metric.bounded
        if self.compared_to and unbounded and self._primary_margin(scope) is None:
            yield _no_margin(scope, metric.name if metric else "the metric")

    def _check_further(self, scope: Scope) -> Iterator[Mistake]:
        """Each of ``metrics`` is known, is for the same problem, and can reach its limit."""
        try:
            primary = named_metric(scope, self.metric)
        except FileError:
            primary = None  # told as the primary one
        problem = scope.pipeline.problem or (primary.problem if primary else None)
        for word, limit in self.metrics.items():
            where = str(scope.entry.where("metrics", word))
            try:
                metric = by_name.get(word)
            except FileError as error:
                yield from (replace(each, where=where) for each in error.mistakes)
                continue
            if primary is not None and metric.name == primary.name:
                fix = "give its limit as `performance_threshold`"
                yield Mistake(f"{word} is the primary metric already", where, fix=fix)
            elif problem is not None and metric.problem != problem:
                what = f"{word} is for {metric.problem}, this is a problem of {problem}"
                yield Mistake(what, where, fix="choose a metric of the same problem")
            elif limit is not None:
                yield from _out_of_range(metric, limit, scope, "metrics", word)
        for word in self.margins:
            if word not in self.metrics:
                yield Mistake(
                    f"there is a margin for {word}, which is not among `metrics`",
                    str(scope.entry.where("margins", word)),
                    nearest=nearest(word, self.metrics),
                    fix="the margin of the primary metric is `margin: …`",
                )

    def _demands_beside(self, scope: Scope) -> Iterator[str]:
        margin = self._primary_margin(scope) or DEFAULT_MARGIN
        primary = named_metric(scope, self.metric)
        judged = [f"{margin:g} in {primary.name if primary else 'the metric'}"]
        told = []
        for metric in map(by_name.get, self.metrics):
            own = self._margin(metric)
            if own is None:
                told.append(metric.name)
            else:
                judged.append(f"{own:g} in {metric.name}")
        yield (
            f"at most {', '.join(judged)} worse than production on the same rows (upper 95 %"
            " bounds); skipped for a first version"
        )
        if told:
            yield f"beside production, without a margin only told: {', '.join(told)}"

    def _demands_of_slices(self, scope: Scope) -> Iterator[str]:
        limit = self.slice_threshold
        must_be = side(named_metric(scope, self.metric))
        if self.slices:
            what = "reported" if limit is None else f"{must_be} {limit:g} on each of them"
            yield f"the metric on slices by {', '.join(_written(w) for w in self.slices)}: {what}"
        if self.worst_slice:
            what = (
                "told" if limit is None else f"fails when it is certainly not {must_be} {limit:g}"
            )
            yield f"the worst slice by one or two features, corrected for the search: {what}"

    def _judged(
        self, context: Context, rows: Labelled, answers: Predictions, serving: Beside
    ) -> dict[str, object]:
        """What the watch will need, unless an earlier test said it and this one bounds nothing."""
        if self.performance_threshold is None and Judged.of(context) is not None:
            return {}
        other = serving.answers
        judged = Judged(
            metric=rows.metric.name,
            promised=self.performance_threshold,
            variance=target_variance(rows),
            disagreement=None if other is None else disagreed(rows, answers, other),
        )
        return {Judged.FACT: asdict(judged)}


def _verdict(measures: Iterable[Measure]) -> tuple[Verdict, str]:
    """All demands together, and what decides where it is no pass; ``skip`` without any demand."""
    known = [*measures]
    if all(each.limit is None and each.verdict is Verdict.SKIP for each in known):
        return Verdict.SKIP, "nothing is demanded, all of it is reported"
    found = gate(known)
    decides = found.verdict in {Verdict.FAIL, Verdict.INCONCLUSIVE}
    return found.verdict, found.reason if decides else ""


def _out_of_range(metric: Metric, limit: float, scope: Scope, *key: str) -> Iterator[Mistake]:
    if not metric.least <= limit <= metric.most:
        ends = f"lies between {metric.least:g} and {metric.most:g}"
        if math.isinf(metric.least):
            ends = f"is never above {metric.most:g}"
        elif math.isinf(metric.most):
            ends = f"is never below {metric.least:g}"
        meant = metric.name.startswith("neg_") and metric.least <= -limit
        yield Mistake(
            f"{metric.name} {ends}, so {limit:g} is no limit for it",
            str(scope.entry.where(*key)),
            fix=f"write {-limit:g}" if meant else "write a number in that range",
        )


def _no_margin(scope: Scope, metric: str) -> Mistake:
    return scope.mistake(
        f"{metric} has no natural margin",
        "compared_to",
        fix="add `margin: …`, how much worse than production is still good enough",
    )


def _written(word: Word) -> str:
    """A slice's word, short: the columns, and how many values of each.

    >>> _written("origin"), _written({"month": (6, 7, 8), "origin": ("JFK",)})
    ('origin', 'month (3 values) and origin (1 value)')
    """
    if isinstance(word, str):
        return word
    several = (f"{c} ({len(v)} value{'s' * (len(v) != 1)})" for c, v in word.items())
    return " and ".join(several)


def _count(scope: Scope, dataset: str) -> int:
    """How many rows will judge."""
    from seatrial.data.opening import open_rows  # noqa: PLC0415 - loads duckdb, for the plan only

    return open_rows(scope.dataset(dataset)).rows

"""Fast tests that catch the obvious: a smoke run on a few rows, and the project's own tests."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from seatrial.evidence import power
from seatrial.evidence.absolute import absolute
from seatrial.evidence.gate import gate
from seatrial.evidence.smoke import smoke
from seatrial.outcome import Measure, Outcome, Verdict, combine
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._bounds import bound_demanded, check_threshold, named_metric, provable, side
from seatrial.tasks._candidate import candidate, demand_register, labelled, predictions
from seatrial.tasks._held_out import demanded, refusal, seen, use, worn
from seatrial.tasks._own_tests import own_tests

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.errors import Mistake


class UnitTests(Task, frozen=True, kw_only=True):
    """Parameters of ``unit_tests``: rows of the smoke run, and a folder of pytest tests."""

    judges_on_dataset: ClassVar[bool] = True
    runs: Annotated[int, Meta(ge=1)] = 50
    performance_threshold: float | None = None
    dataset: str = "validation_data"
    metric: str | None = None
    tests: str | None = None
    timeout_s: Annotated[float, Meta(gt=0)] = 600
    memory_mb: Annotated[int, Meta(ge=1)] | None = None

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The rows of the smoke run and the folder of tests."""
        if self.performance_threshold is not None:
            yield Input(self.dataset, labelled=True)
        if self.tests:
            yield scope.path(self.tests)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is something to test, and something to test it with.

        The project's own tests may come before there is a model.
        """
        if self.performance_threshold is not None:
            yield from demand_register(scope)
        if self.performance_threshold is None and self.tests is None:
            yield scope.mistake(
                "unit_tests has nothing to test",
                "runs",
                fix="add `performance_threshold: 0.85` or `tests: tests/`",
            )
        if self.performance_threshold is not None:
            yield from check_dataset(scope, self.dataset, "dataset")
            yield from check_threshold(scope, self.performance_threshold, self.metric)
        if self.tests:
            yield from self._check_place(scope, self.tests)
            if importlib.util.find_spec("pytest") is None:
                yield scope.mistake(
                    "`tests` needs pytest, which is not installed here",
                    "tests",
                    fix="pip install pytest",
                )

    def demands(self, scope: Scope) -> Iterable[str]:
        """The rule for few rows, said plainly."""
        if self.tests:
            memory = f" and {self.memory_mb} MB" if self.memory_mb else ""
            yield f"every test in {self.tests} passes, all within {self.timeout_s:g} s{memory}"
        if self.performance_threshold is None:
            return
        metric = named_metric(scope, self.metric)
        if self._is_smoke(scope):
            beyond = "below" if side(metric) == "at least" else "above"
            yield (
                f"smoke run on {self.runs} rows of {self.dataset}: fails only when"
                f" {metric.name if metric else 'the metric'} is certainly {beyond}"
                f" {self.performance_threshold:g}; integration_tests decides"
            )
        else:
            where = f"{self.runs} rows"
            yield bound_demanded(scope, self.metric, self.performance_threshold, where)
            yield from provable(scope, self.metric, self.performance_threshold, self.runs)
            yield from demanded(scope, self.dataset)

    def run(self, context: Context) -> Outcome:
        """Both kinds of test; everything is reported."""
        parts = [
            part
            for part in (self._smoke_run(context), self._own_tests(context))
            if part is not None
        ]
        return Outcome(
            verdict=combine(part.verdict for part in parts),
            reason="; ".join(part.reason for part in parts),
            measures=tuple(m for part in parts for m in part.measures),
            findings=tuple(f for part in parts for f in part.findings),
            facts={key: fact for part in parts for key, fact in part.facts.items()},
        )

    def _own_tests(self, context: Context) -> Outcome | None:
        if self.tests is None:
            return None
        context.say(f"{context.scope.entry.address}: pytest runs {self.tests}")
        return own_tests(context, self.tests, self.timeout_s, self.memory_mb)

    def _check_place(self, scope: Scope, tests: str) -> Iterable[Mistake]:
        """The tests are a part of the project, whose code is copied for them."""
        place = scope.path(tests)
        if not place.exists():
            yield scope.mistake(f"there is no folder {tests}", "tests", fix="correct the path")
            return
        folder = scope.folder.resolve()
        inside = place.resolve().is_relative_to(folder)
        hidden = inside and any(
            part.startswith(".") for part in place.resolve().relative_to(folder).parts
        )
        if not inside or hidden:
            where = "in a hidden folder" if hidden else "outside the project folder"
            yield scope.mistake(
                f"{tests} lies {where}: the copy of the project, in which tests run, is without it",
                "tests",
                fix="move the tests to a folder of the project, such as tests/",
            )

    def _is_smoke(self, scope: Scope) -> bool:
        """Whether an ``integration_tests`` of the file bounds the same metric."""
        return any(
            type(task).__name__ == "IntegrationTests"
            and getattr(task, "performance_threshold", None) is not None
            and getattr(task, "metric", None) == self.metric
            for task in scope.tasks.values()
        )

    def _smoke_run(self, context: Context) -> Outcome | None:
        limit = self.performance_threshold
        if limit is None:
            return None
        is_smoke = self._is_smoke(context.scope)
        known = () if is_smoke else seen(context, self.dataset)
        refused = refusal(known)
        if refused is not None:
            return refused
        facts = use(context, self.dataset)
        seed = context.scope.pipeline.seed
        rows = labelled(context, self.dataset, self.metric).drawn(self.runs, seed)
        answers = predictions(context, candidate(context), rows)
        if is_smoke:
            result = smoke(rows.metric, rows.labels, answers, limit, seed=seed)
            return Outcome(
                verdict=result.measure.verdict,
                reason=f"smoke run: {result.reason}",
                measures=(result.measure,),
                facts=facts,
            )
        measure = absolute(rows.metric, rows.labels, answers, limit, seed=seed, groups=rows.groups)
        said = _said(measure, gate([measure]).verdict, power.settles(measure))
        told = (*(each.finding for each in known), *worn(context, self.dataset, measure))
        return replace(said, findings=told, facts=facts)


def _said(measure: Measure, verdict: Verdict, reason: str) -> Outcome:
    value = "has no value" if measure.value is None else f"{measure.value:.3f}"
    said = f"{measure.name} {value} on {measure.n} rows"
    if measure.low is not None and measure.high is not None:
        said += f" (between {measure.low:.3f} and {measure.high:.3f}, limit {measure.limit:g})"
    return Outcome(
        verdict=verdict,
        reason=f"{said}: {reason}" if reason else said,
        measures=(measure,),
    )

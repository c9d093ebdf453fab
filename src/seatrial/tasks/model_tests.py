"""Does the candidate behave: answer everything, always alike, and as it is declared to?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path  # noqa: TC003 - in the signature of a runtime Protocol
from typing import TYPE_CHECKING, Any, cast

from seatrial.errors import FileError, nearest
from seatrial.evaluation.behaviour import CHECKS
from seatrial.evaluation.behaviour.declared import Invariance, Monotony, Noise, Rows
from seatrial.evidence import power
from seatrial.outcome import Finding, Measure, Outcome, Verdict, combine
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._candidate import candidate, demand_register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from seatrial.data.table import Table
    from seatrial.errors import Mistake
    from seatrial.evaluation.behaviour.found import Found
    from seatrial.inference.opening import Answers

    Features = Mapping[str, NDArray[Any]]
    Told = tuple[tuple[Measure, ...], tuple[Finding, ...]]

WORDS = (*CHECKS, "save_and_load", "exported", "noise")
"""The checks that need no declaration, as ``skip`` names them."""

SAID = 4
"""Measures that a reason names; the rest is counted."""


class ModelTests(Task, frozen=True, kw_only=True):
    """Parameters of ``model_tests``: what the model must keep, and the rows it is tried on."""

    dataset: str = "validation_data"
    rows: Rows = 1000
    invariant_to: tuple[str | Invariance, ...] = ()
    increasing_in: tuple[str | Monotony, ...] = ()
    decreasing_in: tuple[str | Monotony, ...] = ()
    cases: str | None = None
    noise: Noise = Noise()
    skip: tuple[str, ...] = ()

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The rows, which need no target, and the file of cases."""
        yield Input(self.dataset)
        if self.cases:
            yield scope.path(self.cases)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is a model, a dataset and the file of cases; no column goes both ways."""
        yield from demand_register(scope)
        yield from check_dataset(scope, self.dataset, "dataset")
        for word in self.skip:
            if word not in WORDS:
                near, fix = nearest(word, WORDS), f"one of: {', '.join(WORDS)}"
                yield scope.mistake(f"there is no check {word!r}", "skip", nearest=near, fix=fix)
        yield from self._twice(scope)
        if self.cases and not (path := scope.path(self.cases)).is_file():
            yield scope.mistake(
                f"there is no file {self.cases}",
                "cases",
                nearest=nearest(path.name, [file.name for file in path.parent.glob("*")]),
                fix="a CSV file with a row for each case: features, and what is expected",
            )

    def demands(self, scope: Scope) -> Iterable[str]:
        """Each demand with its tolerance."""
        del scope
        always = [word for word in WORDS if word not in {*self.skip, "noise"}]
        yield f"on up to {self.rows} rows of {self.dataset}, without exception: {', '.join(always)}"
        if self.skip:
            yield f"not tried, by `skip`: {', '.join(self.skip)}"
        for invariance in _invariances(self.invariant_to):
            yield invariance.demanded()
        for monotony in _monotonies(self.increasing_in):
            yield monotony.demanded("rises", "falls back")
        for monotony in _monotonies(self.decreasing_in):
            yield monotony.demanded("falls", "rises")
        if self.cases:
            yield f"every case of {self.cases}"
        if "noise" not in self.skip:
            yield self.noise.demanded()

    def run(self, context: Context) -> Outcome:
        """What every model must keep, then what is declared of this one; all is reported."""
        from seatrial.registry.opened import opened  # noqa: PLC0415 - loads onnxruntime
        from seatrial.tasks._behaviour import drawn, read_by  # noqa: PLC0415 - likewise

        table, seed = context.table(self.dataset), context.scope.pipeline.seed
        model = opened(context.registry, candidate(context))
        self._demand_columns(context.scope, table, model)
        features = read_by(model, table)
        place = f"dataset {table.dataset.name}"
        told = []
        for wanted, question in self._questions(context, model):
            rows = drawn(features, wanted, seed)
            found = question(rows.features)
            told.append((found.measures, found.findings(place, rows.numbers)))
            told.append(((), _unsettled(found.measures, place, table.rows)))
        if self.cases:
            told.append(self._cases(context, model, self.cases))
        measures = tuple(measure for part, _ in told for measure in part)
        return Outcome(
            verdict=combine(measure.verdict for measure in measures),
            reason=_reason(measures, f"{min(self.rows, table.rows)} rows of {table.dataset.name}"),
            measures=measures,
            findings=tuple(finding for _, part in told for finding in part),
        )

    def _declared(self) -> Iterator[tuple[str, Invariance | Monotony]]:
        """Every declaration of a column, with the key that it stands under."""
        yield from (("invariant_to", each) for each in _invariances(self.invariant_to))
        yield from (("increasing_in", each) for each in _monotonies(self.increasing_in))
        yield from (("decreasing_in", each) for each in _monotonies(self.decreasing_in))

    def _twice(self, scope: Scope) -> Iterator[Mistake]:
        """A column may be declared once: the same again says nothing, and two ways contradict."""
        seen: dict[str, str] = {}
        for key, each in self._declared():
            if each.column in seen:
                first = seen[each.column]
                what = f"{each.column!r} stands under {key} and before it under {first}"
                yield scope.mistake(what, key, fix="keep the one that you mean")
            seen.setdefault(each.column, key)

    def _demand_columns(self, scope: Scope, table: Table, model: Answers) -> None:
        """FileError with every declaration that does not fit the columns or the classes."""
        columns = [column.name for column in table.columns]
        mistakes = [
            replace(mistake, where=f"{scope.entry.where(key)}, dataset {table.dataset.name}")
            for key, each in self._declared()
            for mistake in each.misdeclared(columns, model.signature)
        ]
        if mistakes:
            raise FileError(*mistakes)

    def _questions(
        self, context: Context, model: Answers
    ) -> Iterator[tuple[int, Callable[[Features], Found]]]:
        """What is asked on rows of the dataset, and on how many."""
        from seatrial.evaluation.behaviour.direction import (  # noqa: PLC0415 - numpy
            decreasing,
            increasing,
        )
        from seatrial.evaluation.behaviour.invariance import invariant  # noqa: PLC0415 - likewise
        from seatrial.evaluation.behaviour.noise import noise  # noqa: PLC0415 - likewise
        from seatrial.tasks._behaviour import always  # noqa: PLC0415 - likewise

        seed = context.scope.pipeline.seed
        yield self.rows, partial(always, context, model, skip=self.skip)
        for one in _invariances(self.invariant_to):
            asked = partial(invariant, model, column=one.column, limit=one.limit, seed=seed)
            yield one.rows or self.rows, asked
        for goes, listed in ((increasing, self.increasing_in), (decreasing, self.decreasing_in)):
            for way in _monotonies(listed):
                asked = partial(
                    goes,
                    model,
                    column=way.column,
                    tolerance=way.tolerance,
                    of_class=way.of_class,
                )
                yield way.rows or self.rows, asked
        if "noise" not in self.skip:
            share, limit = self.noise.share, self.noise.limit
            yield self.rows, partial(noise, model, share=share, limit=limit, seed=seed)

    def _cases(self, context: Context, model: Answers, file: str) -> Told:
        from seatrial.evaluation.behaviour.case_file import read_cases  # noqa: PLC0415 - duckdb
        from seatrial.evaluation.behaviour.cases import cases  # noqa: PLC0415 - numpy

        training = context.registry.manifest(candidate(context))["training"]
        target = str(cast("Mapping[str, object]", training)["target"])
        read = read_cases(context.scope.path(file), model.signature, target, file)
        found = cases(model, read.features, read.cases)
        told = found.findings(file)
        if read.left_out:
            what = f"{file} holds no {', '.join(read.left_out)}: missing values in every case"
            told = (*told, Finding(what=what, where=file))
        return found.measures, told


def _invariances(declared: Iterable[str | Invariance]) -> tuple[Invariance, ...]:
    return tuple(Invariance(column=each) if isinstance(each, str) else each for each in declared)


def _monotonies(declared: Iterable[str | Monotony]) -> tuple[Monotony, ...]:
    return tuple(Monotony(column=each) if isinstance(each, str) else each for each in declared)


def _unsettled(measures: Iterable[Measure], place: str, rows: int) -> tuple[Finding, ...]:
    """What would settle the open questions: rows that are at hand, or more than there are."""
    return tuple(
        Finding(
            what=f"{measure.name} is not settled on {measure.n} rows",
            where=place,
            hint=power.settles(measure, "rows")
            + (f"; `rows: {rows}` tries all that are here" if measure.n < rows else ""),
        )
        for measure in measures
        if measure.verdict is Verdict.INCONCLUSIVE
    )


def _reason(measures: tuple[Measure, ...], rows: str) -> str:
    """What decides: all that fails, else all that is not settled, else what was kept."""
    judged = [measure for measure in measures if measure.verdict is not Verdict.SKIP]
    says = {
        Verdict.FAIL: ("fails", "fail"),
        Verdict.INCONCLUSIVE: ("is not settled", "are not settled"),
    }
    for verdict, (of_one, of_many) in says.items():
        deciding = [measure for measure in judged if measure.verdict is verdict]
        if deciding:
            told = "; ".join(_told(measure) for measure in deciding[:SAID])
            rest = f"; and {len(deciding) - SAID} more" if len(deciding) > SAID else ""
            does = of_one if len(deciding) == 1 else of_many
            return f"{len(deciding)} of {len(judged)} checks {does} on {rows}: {told}{rest}"
    bounded = [f"; {_told(measure)}" for measure in judged if measure.high is not None]
    return f"{len(judged)} checks pass on {rows}{''.join(bounded)}"


def _told(measure: Measure) -> str:
    """One measure: a count of offences, or a value with the bound that decides.

    >>> _told(Measure(name="behaviour.finite", value=3, limit=0, n=50, verdict=Verdict.FAIL))
    'finite (3 of 50 answers)'
    """
    word, value = measure.name.partition(".")[2], measure.value
    if measure.limit == 0 and measure.high is None:
        return f"{word} ({value:g} of {measure.n} answers)"
    shown = "no value" if value is None else f"{value:.3g}"
    fails = measure.verdict is Verdict.FAIL
    bound, edge = (measure.low, "at least") if fails else (measure.high, "at most")
    proven = "" if bound is None else f"{edge} {bound:.3g}, "
    settles = power.settles(measure, "rows")
    more = f": {settles}" if settles else ""
    return f"{word} {shown} ({proven}limit {measure.limit:.3g}){more}"

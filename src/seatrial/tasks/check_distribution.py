"""Is a dataset distributed as its baseline was?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from seatrial.data import drift as drifts
from seatrial.data import profile
from seatrial.errors import FormError
from seatrial.outcome import Outcome, Verdict, combine
from seatrial.tasks import Context, Input, Scope, Task, check_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.errors import Mistake


class CheckDistribution(Task, frozen=True, kw_only=True):
    """Parameters of ``check_distribution``. ``threshold`` is in nats."""

    checks_dataset: ClassVar[bool] = True

    dataset: str
    reference: str
    threshold: Annotated[float, Meta(gt=0)] = 0.1
    measure: Literal["kl"] = "kl"
    columns: tuple[str, ...] = ()

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The dataset and its baseline."""
        return (Input(self.dataset), scope.path(self.reference))

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset exists; the baseline exists and can be read."""
        unknown = list(check_dataset(scope, self.dataset, "dataset"))
        yield from unknown
        if unknown:
            return
        data = scope.dataset(self.dataset).path
        here = Path(scope.pipeline.file).parent  # as typed: the command works where `run` was said
        try:
            profile.read(scope.path(self.reference), data)
        except FormError as error:
            for mistake in error.mistakes:
                yield scope.mistake(
                    mistake.what,
                    "reference",
                    nearest=mistake.nearest,
                    fix=f"make it: `seatrial profile {here / scope.short(data)}"
                    f" -o {here / self.reference}`",
                )

    def demands(self, scope: Scope) -> Iterable[str]:
        """The bound."""
        del scope
        which = f"of {', '.join(self.columns)}" if self.columns else "of every column"
        yield (
            f"KL divergence {which} from {self.reference} at most {self.threshold:g} nats:"
            " fails when its lower bound is above, passes when its upper bound is below"
        )

    def run(self, context: Context) -> Outcome:
        """One measure a column."""
        table = context.rows(self.dataset)
        reference = profile.read(context.scope.path(self.reference), table.dataset.path)
        try:
            drift = drifts.compare(
                reference, table, self.threshold, list(self.columns) or None, self.measure
            )
        except FormError as error:
            place = f"{self.reference} ({context.scope.entry.where('reference')})"
            raise FormError(
                *(replace(m, where=f"{m.where}, against {place}") for m in error.mistakes)
            ) from error
        verdict = combine(measure.verdict for measure in drift.measures)
        if drift.broken:
            verdict = Verdict.FAIL
        return Outcome(
            verdict=verdict,
            reason=self._reason(verdict, drift),
            measures=drift.measures,
            findings=drift.findings,
            facts={"dataset": table.dataset.name, "fingerprint": table.fingerprint},
        )

    def _reason(self, verdict: Verdict, drift: drifts.Drift) -> str:
        worst = max(drift.measures, key=lambda m: m.value or 0.0, default=None)
        if worst is None:
            return f"{self.dataset}: {drift.findings[0].what}"
        n = sum(m.verdict is verdict for m in drift.measures)
        where = f"{worst.name} is {worst.value:.3g} nats (limit {self.threshold:g})"
        if verdict is Verdict.PASS:
            return f"{self.dataset}: {n} columns as in {self.reference}; the largest, {where}"
        if verdict is Verdict.FAIL:
            return f"{self.dataset}: {max(n, 1)} of {len(drift.measures)} columns moved; {where}"
        return f"{self.dataset}: {table_rows(worst.n)} cannot settle {n} columns; {where}"


def table_rows(n: int) -> str:
    """A count of rows in words."""
    return "1 row" if n == 1 else f"{n} rows"

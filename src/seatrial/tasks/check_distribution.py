"""Is a dataset distributed as its baseline was?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from seatrial.data.drift import document as drift_document
from seatrial.data.drift import judging as drifts
from seatrial.data.drift import sight as drift_sight
from seatrial.data.drift.limits import Limits, misnamed
from seatrial.data.drift.words import reason
from seatrial.data.opening import open_rows
from seatrial.data.profiles import profile
from seatrial.errors import FormError
from seatrial.outcome import Outcome
from seatrial.tasks import Context, Input, Scope, Task, check_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.errors import Mistake


class CheckDistribution(Task, frozen=True, kw_only=True):
    """Parameters of ``check_distribution``. Thresholds are in the unit of the measure."""

    checks_dataset: ClassVar[bool] = True

    dataset: str
    reference: str
    threshold: Annotated[float, Meta(gt=0)] | None = None
    measure: Literal[
        "kl", "psi", "jensen_shannon", "total_variation", "chi_square",
        "kolmogorov_smirnov", "wasserstein",
    ] = "kl"  # fmt: skip
    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    thresholds: dict[str, Annotated[float, Meta(gt=0)]] = {}  # noqa: RUF012 - msgspec copies it

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The dataset and its baseline."""
        return (Input(self.dataset), scope.path(self.reference))

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset exists; the baseline can be read and knows the names that are used."""
        unknown = list(check_dataset(scope, self.dataset, "dataset"))
        yield from unknown
        if unknown:
            return
        command = self._command(scope)
        try:
            reference = profile.read(scope.path(self.reference))
        except FormError as error:
            for m in error.mistakes:
                fix = m.fix if m.fix == profile.ANOTHER else f"make it: `{command}`"
                yield scope.mistake(m.what, "reference", nearest=m.nearest, fix=fix)
            return
        for wrong in misnamed(self._limits(), reference, command):
            yield scope.mistake(wrong.what, wrong.key, nearest=wrong.nearest, fix=wrong.fix)

    def demands(self, scope: Scope) -> Iterable[str]:
        """The bound, what it applies to, and what the rows at hand can show."""
        limits = self._limits()
        reference = profile.read(scope.path(self.reference))
        rows = open_rows(scope.dataset(self.dataset))
        command = self._command(scope)
        yield from drift_sight.demands(reference, rows, limits, self.reference, command)

    def run(self, context: Context) -> Outcome:
        """One measure a column, and one for each slice of it."""
        scope = context.scope
        rows = context.rows(self.dataset)
        command = self._command(scope)
        reference = profile.read(scope.path(self.reference), rows.dataset.place)
        try:
            drift = drifts.compare(reference, rows, self._limits(), command)
        except FormError as error:
            place = f"{self.reference} ({scope.entry.where('reference')})"
            raise FormError(
                *(replace(m, where=f"{m.where}, against {place}") for m in error.mistakes)
            ) from error
        kept = drift_document.written(drift_document.document(drift, reference, rows))
        return Outcome(
            verdict=drift.verdict,
            reason=reason(drift, self.reference),
            measures=drift.measures,
            findings=drift.findings,
            facts={"dataset": rows.dataset.name, "fingerprint": rows.fingerprint},
            blobs={"distribution": context.blobs.put(kept)},
        )

    def _limits(self) -> Limits:
        return Limits(
            measure=self.measure,
            threshold=self.threshold,
            thresholds=self.thresholds,
            columns=self.columns,
            exclude=self.exclude,
            slices=self.slices,
        )

    def _command(self, scope: Scope) -> str:
        """What makes the baseline, to be typed where the pipeline's command was typed."""
        here = Path(scope.pipeline.file).parent
        data = scope.dataset(self.dataset)
        where = here / scope.short(data.path) if data.path else data.place
        return f"seatrial profile {where} -o {here / self.reference}"

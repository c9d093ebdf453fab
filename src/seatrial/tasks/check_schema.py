"""Are the expected columns there?"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from seatrial.data import schema
from seatrial.outcome import Outcome, Verdict
from seatrial.tasks import Context, Input, Scope, Task, check_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.errors import Mistake


class CheckSchema(Task, frozen=True, kw_only=True):
    """Parameters of ``check_schema``."""

    checks_dataset: ClassVar[bool] = True

    dataset: str
    expected_columns: tuple[str, ...] = ()
    strict: bool = False

    def inputs(self, scope: Scope) -> Iterable[Input]:
        """The dataset."""
        del scope
        return (Input(self.dataset),)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset exists; no column is expected twice."""
        yield from check_dataset(scope, self.dataset, "dataset")
        twice = {c for c in self.expected_columns if self.expected_columns.count(c) > 1}
        for column in sorted(twice):
            yield scope.mistake(
                f"column {column!r} is expected twice", "expected_columns", fix="remove one"
            )

    def demands(self, scope: Scope) -> Iterable[str]:
        """Which columns."""
        del scope
        extra = "no others" if self.strict else "others may be there"
        yield f"{len(self.expected_columns)} expected columns exist, {extra}"

    def run(self, context: Context) -> Outcome:
        """Every missing or unwanted column is a finding."""
        table = context.rows(self.dataset)
        findings = schema.check_schema(table, list(self.expected_columns), strict=self.strict)
        facts = {"dataset": table.dataset.name, "fingerprint": table.fingerprint}
        if findings:
            return Outcome(
                verdict=Verdict.FAIL,
                reason=f"{self.dataset}: {findings[0].what}"
                + (f", and {len(findings) - 1} more" if len(findings) > 1 else ""),
                findings=findings,
                facts=facts,
            )
        return Outcome(
            verdict=Verdict.PASS,
            reason=f"{self.dataset}: all {len(self.expected_columns)} expected columns"
            f" are there, {table.rows} rows",
            facts=facts,
        )

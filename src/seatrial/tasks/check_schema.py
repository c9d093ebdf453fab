"""Are the columns there that are expected, and do they hold what they should?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from seatrial.data.schema import checking as schemas
from seatrial.data.schema.demands import ColumnDemand, Demands, Freshness, RowDemand
from seatrial.data.schema.misstated import wrong
from seatrial.errors import FileError
from seatrial.outcome import Outcome
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._schema_file import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from seatrial.data.schema.checking import Checked
    from seatrial.errors import Mistake

_PLANNED = 20
"""So many columns are described in the plan, the rest is counted."""


class CheckSchema(Task, frozen=True, kw_only=True):
    """Parameters of ``check_schema``. All but ``dataset`` may stand in the file ``schema``."""

    checks_dataset: ClassVar[bool] = True

    dataset: str
    schema: str | None = None
    expected_columns: tuple[str, ...] = ()
    strict: bool = False
    columns: dict[str, ColumnDemand] = msgspec.field(default_factory=dict)
    keys: Annotated[tuple[tuple[str, ...], ...], Meta(examples=[[["carrier", "flight"]]])] = ()
    rows: RowDemand | None = None
    freshness: Freshness | None = None

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The dataset, and the schema file."""
        yield Input(self.dataset)
        if self.schema is not None:
            yield scope.path(self.schema)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """The dataset exists; what is demanded of it could be met."""
        yield from check_dataset(scope, self.dataset, "dataset")
        if self.schema is None:
            yield from wrong(self._own, scope.entry.where)
            return
        for key in scope.entry.parameters:
            if key not in {"dataset", "schema"}:
                yield scope.mistake(
                    f"`{key}` stands here, and the schema is in {self.schema}",
                    key,
                    fix=f"move it into {self.schema}, or leave out `schema`",
                )
        try:
            self._demands(scope)
        except FileError as error:
            yield from error.mistakes

    def demands(self, scope: Scope) -> Iterable[str]:
        """Which columns, and what they must hold."""
        asked = self._demands(scope)
        extra = "no others" if asked.strict else "others may be there"
        yield f"{len(asked.names)} expected columns exist, {extra}"
        yield from _described(asked)

    def run(self, context: Context) -> Outcome:
        """Every demand that is broken is a finding."""
        table = context.rows(self.dataset)
        asked = self._demands(context.scope)
        checked = schemas.check(table, asked, context.workspace.clock())
        return Outcome(
            verdict=checked.verdict,
            reason=f"{self.dataset}: {_reason(checked, asked, table.rows)}",
            measures=checked.measures,
            findings=checked.findings,
            facts={"dataset": table.dataset.name, "fingerprint": table.fingerprint},
        )

    @property
    def _own(self) -> Demands:
        return Demands(
            expected_columns=self.expected_columns,
            strict=self.strict,
            columns=self.columns,
            keys=self.keys,
            rows=self.rows,
            freshness=self.freshness,
        )

    def _demands(self, scope: Scope) -> Demands:
        return self._own if self.schema is None else read_schema(scope.path(self.schema))


def _reason(checked: Checked, asked: Demands, rows: int) -> str:
    if checked.broken:
        more = len(checked.broken) - 1
        return checked.broken[0].what + (f", and {more} more" if more else "")
    names, held = len(asked.names), checked.asked
    columns = "the expected column is" if names == 1 else f"all {names} expected columns are"
    demands = "the one demand" if held == 1 else f"all {held} demands"
    said = f"{columns} there, {rows} row{'s' * (rows != 1)}"
    met = f"{demands} on what they hold {'is' if held == 1 else 'are'} met"
    return f"{said}; {met}" if held else said


def _described(asked: Demands) -> Iterator[str]:
    """The demands beyond the names of columns, one line each."""
    described = [(name, words) for name, d in asked.columns.items() if (words := _words(d))]
    for name, words in described[:_PLANNED]:
        yield f"{name}: {', '.join(words)}"
    if len(described) > _PLANNED:
        yield f"and {len(described) - _PLANNED} more columns"
    for key in asked.keys:
        yield f"no two rows have the same {', '.join(key)}"
    if asked.rows is not None:
        low, high = asked.rows.min, asked.rows.max
        yield f"from {low or 0} to {'any number of' if high is None else high} rows"
    if asked.freshness is not None:
        yield f"the newest {asked.freshness.column} is at most {asked.freshness.max_age} old"


def _words(demand: ColumnDemand) -> list[str]:
    """What is demanded of a column, in words."""
    words: list[str] = [demand.type] if demand.type else []
    if not demand.nullable:
        words.append("no value missing")
    if demand.max_null_percent is not None:
        words.append(f"at most {demand.max_null_percent:g} % missing")
    words += [f"at least {_plain(demand.min)}"] if demand.min is not None else []
    words += [f"at most {_plain(demand.max)}"] if demand.max is not None else []
    words += [f"one of {len(demand.allowed)} values"] if demand.allowed is not None else []
    return words + (["every value once"] if demand.unique else [])


def _plain(bound: float | str) -> str:
    return bound if isinstance(bound, str) else f"{bound:.15g}"

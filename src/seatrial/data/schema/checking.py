"""Does a dataset have the columns, and do they hold the values, that are demanded of it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.data.schema.as_rules import nulls_of, rules_of, told
from seatrial.data.schema.column_types import typed
from seatrial.data.schema.demands import RowDemand
from seatrial.data.schema.freshness import fresh
from seatrial.errors import nearest
from seatrial.outcome import Direction, Finding, Measure, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from seatrial.data import Rows
    from seatrial.data.schema.demands import Demands

_TOLD = 100
"""So many findings are told, the rest is counted."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: ``broken`` demands, ``notes`` that break nothing, and ``measures``.

    ``asked`` counts the demands on types, values, rows and age.
    """

    broken: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    measures: tuple[Measure, ...]
    asked: int

    @property
    def verdict(self) -> Verdict:
        """Fail when anything is broken."""
        return Verdict.FAIL if self.broken else Verdict.PASS

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, what is broken first; the first hundred of each in full."""
        return (*_shortened(self.broken), *_shortened(self.notes))


def check(table: Rows, demands: Demands, now: datetime) -> Checked:
    """Hold a dataset against what is demanded of it; ``now`` (UTC) is for its freshness.

    The demands must be ones that :func:`seatrial.data.schema.misstated.wrong` has nothing against.
    """
    place = _place(table.dataset.name, table.dataset.brief)
    structure = _structure(table, demands, place)
    rows_found, measures = _rows(table, demands, place)
    types = typed(table, demands.columns, place)
    rules = rules_of(table, demands, types.usable)
    violations = table.violations([rule.rule for rule in rules])
    rules_told = told(table, rules, violations, place)
    nulls = nulls_of(table, rules, violations)
    age_found, age = fresh(table, demands.freshness, now, place)
    stated = [demand for demand in demands.columns.values() if demand.type is not None]
    return Checked(
        broken=(*structure, *rows_found, *types.wrong, *rules_told, *age_found),
        notes=types.empty,
        measures=(*measures, *nulls, *age),
        asked=len(stated) + len(rules) + len(measures) + len(age),
    )


def _place(name: str, brief: str) -> str:
    """The dataset, and its file or table where that has another name.

    >>> _place("april", "april.csv.gz"), _place("april", "flights.csv")
    ('april.csv.gz', 'april, flights.csv')
    """
    return brief if brief.partition(".")[0] == name else f"{name}, {brief}"


def _structure(table: Rows, demands: Demands, place: str) -> list[Finding]:
    """A finding for each column that is missing and, when strict, each that is not expected."""
    names = [column.name for column in table.columns]
    there, expected = set(names), set(demands.names)
    missing = [_missing(name, names, place) for name in demands.names if name not in there]
    extra = [_extra(name, place) for name in names if demands.strict and name not in expected]
    return [*missing, *extra]


def _missing(name: str, names: list[str], place: str) -> Finding:
    close = nearest(name, names)
    hint = f"nearest column: {close}" if close else f"it has: {listed(names)}"
    return Finding(what=f"expected column {name!r} is missing", where=place, hint=hint)


def _extra(name: str, place: str) -> Finding:
    return Finding(
        what=f"column {name!r} is not expected",
        where=place,
        hint="drop it, add it to `expected_columns`, or leave out `strict`",
    )


def _rows(
    table: Rows, demands: Demands, place: str
) -> tuple[tuple[Finding, ...], tuple[Measure, ...]]:
    """How many rows there are, against each bound that is given."""
    findings, measures = [], []
    bounds = demands.rows or RowDemand()
    for word, limit, direction in (
        ("at least", bounds.min, Direction.AT_LEAST),
        ("at most", bounds.max, Direction.AT_MOST),
    ):
        if limit is None:
            continue
        verdict = judge(table.rows, table.rows, limit, direction)
        measures.append(
            Measure(
                name=f"rows.{direction}",
                value=table.rows,
                low=table.rows,
                high=table.rows,
                limit=limit,
                direction=direction,
                n=table.rows,
                verdict=verdict,
            )
        )
        if verdict is Verdict.FAIL:
            what = f"{table.rows} rows, where {word} {limit} are expected"
            hint = "see whether all of it was written, and only once; or change `rows`"
            findings.append(Finding(what=what, where=place, hint=hint))
    return tuple(findings), tuple(measures)


def _shortened(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    rest = len(findings) - _TOLD
    more = (Finding(what=f"and {rest} more"),) if rest > 0 else ()
    return (*findings[:_TOLD], *more)

"""Which rules do demands come to, and how is a broken one told?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.schema.column_types import time_type
from seatrial.data.schema.demands import seconds
from seatrial.data.schema.example_lines import lines_of
from seatrial.data.schema.rules import Rule
from seatrial.errors import nearest
from seatrial.outcome import Direction, Finding, Measure, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.data import Rows
    from seatrial.data.column import Column
    from seatrial.data.schema.demands import ColumnDemand, Demands, Type
    from seatrial.data.schema.rules import Example, Violation

_WIDTH = 40
"""A value is shown up to this many characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A rule in words: what it is about, what rows that break it are, how to put them right.

    ``limit`` is the share of rows, in percent, that may break it.
    """

    rule: Rule
    name: str
    broken: str
    hint: str
    limit: float | None = None


def rules_of(table: Rows, demands: Demands, usable: Sequence[Column]) -> list[Asked]:
    """The rules of a dataset in the order of its columns, then the keys.

    Bounds and allowed values are asked only of the ``usable`` columns, which are of the right
    type; columns that do not exist are told elsewhere.
    """
    fit = {column.name for column in usable}
    rules: list[Asked] = []
    for column in table.columns:
        demand = demands.columns.get(column.name)
        if demand is not None:
            rules += _of_column(column, demand, fits=column.name in fit)
    names = {column.name for column in table.columns}
    return rules + [_of_key(key) for key in demands.keys if names.issuperset(key)]


def told(
    table: Rows, asked: Sequence[Asked], violations: Sequence[Violation], place: str
) -> list[Finding]:
    """A finding for each rule that is broken: how many rows, and the first three of them."""
    by_rule = {violation.rule: violation for violation in violations}
    broken = [(a, v) for a in asked if (v := by_rule.get(a.rule)) and not _is_within(a, v, table)]
    rows = [e.row for _, v in broken for e in v.examples if e.row is not None]
    lines = lines_of(table, rows)
    kinds = {column.name: column.kind for column in table.columns}
    findings = []
    for rule, violation in broken:
        shown = _examples(violation, kinds.get(rule.rule.columns[0], "other"), lines)
        allowed = f", where at most {rule.limit:g} % may be" if rule.limit is not None else ""
        count = f"{violation.rows} of {table.rows} rows ({_percent(violation, table):.3g} %)"
        what = f"{rule.name}: {count} {rule.broken}{allowed}{shown}"
        near = _nearest(rule.rule, violation)
        findings.append(Finding(what=what, where=place, hint=f"{near}{rule.hint}"))
    return findings


def nulls_of(
    table: Rows, asked: Sequence[Asked], violations: Sequence[Violation]
) -> Iterator[Measure]:
    """The share of missing values, in percent, of each column that has a bound on it."""
    by_rule = {violation.rule: violation for violation in violations}
    for rule in asked:
        if rule.limit is None:
            continue
        violation = by_rule.get(rule.rule)
        share = _percent(violation, table) if violation else 0.0
        yield Measure(
            name=f"nulls.{rule.rule.columns[0]}",
            value=share,
            low=share,
            high=share,
            limit=rule.limit,
            direction=Direction.AT_MOST,
            n=table.rows,
            verdict=judge(share, share, rule.limit, Direction.AT_MOST),
        )


def _of_column(column: Column, demand: ColumnDemand, *, fits: bool) -> Iterator[Asked]:
    one, name = (column.name,), f"`{column.name}`"
    if not demand.nullable or demand.max_null_percent is not None:
        yield Asked(
            rule=Rule(kind="not_null", columns=one),
            name=name,
            broken="without a value",
            hint="fill them in, or allow more under `nullable` or `max_null_percent`",
            limit=demand.max_null_percent,
        )
    if fits and (demand.min is not None or demand.max is not None):
        bounds = (demand.min, demand.max)
        low, high = (None if b is None else seconds(b, _written(column)) for b in bounds)
        hint = "correct them, or change `min` or `max`"
        rule = Rule(kind="range", columns=one, low=low, high=high)
        yield Asked(rule=rule, name=name, broken=_outside(demand), hint=hint)
    if fits and demand.allowed is not None:
        hint = "correct them, or add them to `allowed`"
        broken = "with a value that is not allowed"
        yield Asked(rule=_allowed(column, demand), name=name, broken=broken, hint=hint)
    if demand.unique:
        hint = "drop what was written twice, or leave out `unique`"
        broken = "with a value that another row has too"
        yield Asked(rule=Rule(kind="unique", columns=one), name=name, broken=broken, hint=hint)


def _of_key(key: tuple[str, ...]) -> Asked:
    return Asked(
        rule=Rule(kind="unique", columns=key),
        name=f"key `{', '.join(key)}`",
        broken="with the same values as another row",
        hint="drop what was written twice, or correct `keys`",
    )


def _written(column: Column) -> Type | None:
    return time_type(column) if column.kind == "time" else None


def _allowed(column: Column, demand: ColumnDemand) -> Rule:
    values = demand.allowed or ()
    if column.kind == "number":
        numbers = tuple(float(value) for value in values)
        return Rule(kind="allowed", columns=(column.name,), numbers=numbers)
    if column.kind == "time":
        times = tuple(seconds(str(value), time_type(column)) for value in values)
        return Rule(kind="allowed", columns=(column.name,), numbers=times)
    texts = tuple(str(v).lower() if isinstance(v, bool) else str(v) for v in values)
    return Rule(kind="allowed", columns=(column.name,), values=texts)


def _outside(demand: ColumnDemand) -> str:
    low, high = (b if isinstance(b, str | None) else f"{b:.15g}" for b in (demand.min, demand.max))
    if low is not None and high is not None:
        return f"outside {low} to {high}"
    return f"below {low}" if high is None else f"above {high}"


def _is_within(asked: Asked, violation: Violation, table: Rows) -> bool:
    """Whether as many rows as these may break the rule."""
    return asked.limit is not None and _percent(violation, table) <= asked.limit


def _percent(violation: Violation, table: Rows) -> float:
    return 100 * violation.rows / table.rows


def _examples(violation: Violation, kind: str, lines: Mapping[int, int] | None) -> str:
    """Where the first rows stand, and what they hold.

    >>> from seatrial.data.schema.rules import Example, Violation
    >>> two = (Example(16, "4000.0"), Example(39, "3999.0"))
    >>> over = Violation(Rule(kind="range", columns=("delay",), high=2000.0), 12, two)
    >>> _examples(over, "number", {16: 17, 39: 40})
    ' (lines 17, 40: 4000, 3999)'
    """
    examples = violation.examples
    if not examples:
        return ""
    rule = violation.rule
    values = [_shown(example, kind, rule) for example in examples]
    told = "" if rule.kind == "not_null" else ("; " if len(rule.columns) > 1 else ", ").join(values)
    rows = [example.row for example in examples if example.row is not None]
    if not rows:
        return f" (such as {told})" if told else ""
    word = "row" if lines is None else "line"
    numbers = ", ".join(str(row if lines is None else lines[row]) for row in rows)
    return f" ({word}{'s' if len(rows) > 1 else ''} {numbers}{': ' if told else ''}{told})"


def _shown(example: Example, kind: str, rule: Rule) -> str:
    value = example.value
    value = value if len(value) <= _WIDTH else f"{value[: _WIDTH - 1]}…"
    if len(rule.columns) > 1:
        return value
    if kind == "number":
        return value.removesuffix(".0")
    return value if kind in {"time", "boolean"} else repr(value)


def _nearest(rule: Rule, violation: Violation) -> str:
    """The allowed text that the first example may be a misspelling of."""
    if rule.kind != "allowed" or not violation.examples:
        return ""
    value = violation.examples[0].value
    near = nearest(value, rule.values) or nearest(value.strip(), rule.values)
    return f"nearest to {value[:_WIDTH]!r}: {near!r}; " if near else ""

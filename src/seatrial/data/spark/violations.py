"""Which rows break a rule? Counted by Spark; only three of each broken rule come back.

One job counts what breaks the rules on single columns: each row gives the numbers of the rules
that it breaks, of most rows none. One grouped job each counts what is not ``unique``. Rows have
no order in Spark: the examples are the least values, so that they are the same ones every time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.schema.rules import EXAMPLES, Example, Violation
from seatrial.data.spark import expressions as sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.schema.rules import Rule
    from seatrial.data.spark.relation import Relation

_BATCH = 200
"""So many rules are counted in one query."""

_TOGETHER = 16
"""So many rules are looked at in one compiled method."""

_LARGEST = 1.7976931348623157e308


def found(relation: Relation, rules: Sequence[Rule]) -> tuple[Violation, ...]:
    """What breaks the rules, in their order; a rule that holds gives none."""
    single = [rule for rule in rules if rule.kind != "unique"]
    broken: dict[Rule, Violation] = {}
    for start in range(0, len(single), _BATCH):
        batch = single[start : start + _BATCH]
        broken |= _broken(relation, batch, {rule: _breaks(relation, rule) for rule in batch})
    for rule in rules:
        if rule.kind == "unique" and (violation := _repeated(relation, rule)):
            broken[rule] = violation
    return tuple(broken[rule] for rule in rules if rule in broken)


def _broken(
    relation: Relation, rules: Sequence[Rule], breaks: dict[Rule, str]
) -> dict[Rule, Violation]:
    """One scan for the counts, and one more for examples when there are any."""
    numbers = [f"CASE WHEN {breaks[rule]} THEN {number} END" for number, rule in enumerate(rules)]
    counts = relation.sql(
        f"SELECT c, count(*) FROM {relation.cells(numbers, _TOGETHER)} GROUP BY c"  # noqa: S608
    )
    if not counts:
        return {}
    named = sorted(number for number, _ in counts)
    cells = [
        f"CASE WHEN {breaks[rules[number]]} THEN named_struct('rule', {number}, "
        f"{_shown(relation, rules[number])}) END"
        for number in named
    ]
    shown = relation.sql(
        f"WITH cells AS {relation.cells(cells, _TOGETHER)}, placed AS "  # noqa: S608 - quoted
        "(SELECT c.rule AS rule, c.value AS value, row_number() "
        "OVER (PARTITION BY c.rule ORDER BY c.x, c.value) AS place FROM cells) "
        f"SELECT rule, place, value FROM placed WHERE place <= {EXAMPLES}"
    )
    examples: dict[int, tuple[Example, ...]] = dict.fromkeys(named, ())
    for number, _, value in sorted(shown):
        field = relation.field(rules[number].columns[0])
        examples[number] += (Example(None, sql.as_written(field, value)),)
    return {rules[n]: Violation(rules[n], count, examples[n]) for n, count in counts}


def _shown(relation: Relation, rule: Rule) -> str:
    """What an example shows, and the number that it is sorted by."""
    field = relation.field(rule.columns[0])
    is_number = field.column.kind in {"number", "time"}
    by = sql.value(field) if is_number else "CAST(NULL AS DOUBLE)"
    return f"'x', {by}, 'value', {sql.shown(field)}"


def _breaks(relation: Relation, rule: Rule) -> str:
    """Whether a row breaks a rule on one column; never NULL."""
    field = relation.field(rule.columns[0])
    missing = sql.is_missing(field)
    if rule.kind == "not_null":
        return missing
    value = sql.value(field)
    if rule.kind == "range":
        is_float = sql.is_nan(field) is not None
        low = -_LARGEST if rule.low is None and is_float else rule.low
        high = _LARGEST if rule.high is None and is_float else rule.high
        bounds = [f"{value} < {sql.number(low)}"] if low is not None else []
        bounds += [f"{value} > {sql.number(high)}"] if high is not None else []
        return f"(NOT {missing} AND ({' OR '.join(bounds) or 'FALSE'}))"
    allowed = [sql.literal(text) for text in rule.values]
    if field.column.kind in {"number", "time"}:
        allowed = [sql.number(number) for number in rule.numbers]
    other = f" AND {value} NOT IN ({', '.join(allowed)})" if allowed else ""
    return f"(NOT {missing}{other})"


def _repeated(relation: Relation, rule: Rule) -> Violation | None:
    """Every row that has an equal one; rows in which something is missing are not looked at."""
    fields = [relation.field(name) for name in rule.columns]
    complete = " AND ".join(f"NOT {sql.is_missing(field)}" for field in fields)
    keys = [f"k{number}" for number in range(len(fields))]
    named = ", ".join(f"{sql.groupable(f)} AS {k}" for f, k in zip(fields, keys, strict=True))
    groups = (
        f"(SELECT {', '.join(keys)}, count(*) AS n FROM (SELECT {named} FROM {relation.name} "  # noqa: S608
        f"WHERE {complete}) GROUP BY {', '.join(keys)} HAVING count(*) > 1)"
    )
    rows = relation.sql(f"SELECT sum(n) FROM {groups}")[0][0]  # noqa: S608 - quoted
    if not rows:
        return None
    return Violation(rule, int(rows), _equals(relation, rule, groups))


def _equals(relation: Relation, rule: Rule, groups: str) -> tuple[Example, ...]:
    """The rows of the first groups, in the order of their values."""
    fields = [relation.field(name) for name in rule.columns]
    keys = [f"k{number}" for number in range(len(fields))]
    shown = ", ".join(sql.shown(field, key) for field, key in zip(fields, keys, strict=True))
    order = ", ".join(
        f"CAST({key} AS STRING)" if field.unordered else key
        for field, key in zip(fields, keys, strict=True)
    )
    first = relation.sql(
        f"SELECT n, {shown} FROM {groups} ORDER BY {order} LIMIT {EXAMPLES}"  # noqa: S608 - quoted
    )
    texts = [
        ", ".join(sql.as_written(field, value) for field, value in zip(fields, values, strict=True))
        for n, *values in first
        for _ in range(min(n, EXAMPLES))
    ]
    return tuple(Example(None, text) for text in texts[:EXAMPLES])

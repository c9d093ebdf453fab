"""Which rows break a rule? Asked of duckdb in few scans.

One scan counts what breaks the rules on single columns, one GROUP BY each ``unique`` rule. Rows
are looked at one by one only where a rule is broken, and only until the first three are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.column import kind_of, quoted
from seatrial.data.schema.rules import EXAMPLES, Example, Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from seatrial.data.schema.rules import Rule

    Sql = Callable[..., list[tuple[Any, ...]]]
    """The rows of a query over the relation ``rows``; parameters follow the query."""

    Asked = tuple[str, list[object]]
    """An SQL expression and the values of its question marks."""

_BATCH = 500
"""So many counts are asked for in one query: each names all columns of the relation anew, which
takes a second where there are 10 000."""

_FEW = 25
"""More allowed values than this are looked up in a hash table, in a scan of their own."""

SHOWN = 25
"""Only so many broken rules get examples: each may cost a scan."""

_LARGEST = 1.7976931348623157e308


def found(sql: Sql, rules: Sequence[Rule]) -> tuple[Violation, ...]:
    """What breaks the rules among the relation ``rows``, in the order of the rules."""
    if not rules:
        return ()
    types = {name: kind for name, kind, *_ in sql("DESCRIBE rows")}
    counts = _together(sql, rules, types)
    for rule in rules:
        if rule not in counts:
            counts[rule] = _apart(sql, rule, types)
    broken = [rule for rule in rules if counts[rule]]
    return tuple(
        Violation(rule, counts[rule], _examples(sql, rule, types) if i < SHOWN else ())
        for i, rule in enumerate(broken)
    )


def _together(sql: Sql, rules: Sequence[Rule], types: Mapping[str, str]) -> dict[Rule, int]:
    """How many rows break each rule that can be counted in a scan with others."""
    alike = [r for r in rules if r.kind != "unique" and len(r.values) + len(r.numbers) <= _FEW]
    counts: dict[Rule, int] = {}
    for start in range(0, len(alike), _BATCH):
        batch = alike[start : start + _BATCH]
        asked = [_count(rule, types[rule.columns[0]]) for rule in batch]
        query = f"SELECT {', '.join(text for text, _ in asked)} FROM rows"  # noqa: S608 - quoted
        values = [value for _, given in asked for value in given]
        counts.update(zip(batch, sql(query, *values)[0], strict=True))
    return counts


def _count(rule: Rule, kind: str) -> Asked:
    if rule.kind == "not_null" and not _may_be_nan(kind):
        # the fastest way to say it
        return f"count(*) - count({quoted(rule.columns[0])})", []
    text, values = _breaks(rule, kind)
    return f"count({text})", values


def _apart(sql: Sql, rule: Rule, types: Mapping[str, str]) -> int:
    """How many rows break a rule that needs a scan of its own."""
    if rule.kind == "unique":
        keys = ", ".join(map(quoted, rule.columns))
        query = (
            f"SELECT count(*) AS n FROM rows WHERE {_complete(rule, types)} "  # noqa: S608
            f"GROUP BY {keys} HAVING count(*) > 1"
        )
        return int(sql(f"SELECT coalesce(sum(n), 0) FROM ({query})")[0][0])  # noqa: S608
    text, values = _count(rule, types[rule.columns[0]])
    return int(sql(f"SELECT {text} FROM rows", *values)[0][0])  # noqa: S608 - quoted


def _breaks(rule: Rule, kind: str) -> Asked:
    """An expression that is 1 where a row breaks a rule on one column of that type, else NULL.

    Cases, the most frequent first, and nothing joined by OR: it is the fastest to compute, and
    the time to plan a query of many ORs grows with their number squared.
    """
    name = quoted(rule.columns[0])
    value = _value(name, kind)
    if rule.kind == "not_null":
        nan = {f"isnan({name})": "1"} if _may_be_nan(kind) else {}
        return _case({f"{name} IS NULL": "1", **nan}), []
    if rule.kind == "allowed":
        known, allowed = _among(rule, value, kind)
        nan = {f"isnan({value})": "NULL"} if _may_be_nan(kind) else {}
        return _case({known: "NULL", f"{value} IS NULL": "NULL", **nan, "TRUE": "1"}), allowed
    low, high, above, infinite = rule.low, rule.high, "1", {}
    if _may_be_nan(kind):  # which is above everything; and infinite, which is outside everything
        low = -_LARGEST if low is None else low
        high = _LARGEST if high is None else high
        above = f"CASE WHEN isnan({value}) THEN NULL ELSE 1 END"
    elif kind.startswith(("DATE", "TIMESTAMP")):  # an infinite time has no seconds
        infinite = {f"{value} IS NULL": f"CASE WHEN {name} IS NULL THEN NULL ELSE 1 END"}
    below = {f"{value} < ?": "1"} if low is not None else {}
    beyond = {f"{value} > ?": above} if high is not None else {}
    return _case(below | beyond | infinite), [bound for bound in (low, high) if bound is not None]


def _case(cases: Mapping[str, str]) -> str:
    said = " ".join(f"WHEN {condition} THEN {result}" for condition, result in cases.items())
    return f"CASE {said} END" if said else "NULL"


def _among(rule: Rule, value: str, kind: str) -> Asked:
    """Whether a value is one of those allowed."""
    given = rule.numbers if kind_of(kind) in {"number", "time"} else rule.values
    allowed: list[object] = [*dict.fromkeys(given)]
    if not allowed:
        return "FALSE", []
    if len(allowed) > _FEW:
        return f"({value} IN (SELECT unnest(?)))", [allowed]
    # a map is asked once for each distinct value of a dictionary, an IN list for every row
    return f"map_contains(MAP {{{', '.join('?: 1' for _ in allowed)}}}, {value})", allowed


def _value(name: str, kind: str) -> str:
    """What is compared: numbers as floats, times as seconds, all else as text."""
    if kind_of(kind) == "number":
        return f"CAST({name} AS DOUBLE)"
    if kind == "DATE":  # which reaches farther than microseconds do
        return f"epoch({name})"
    return f"(epoch_us({name}) / 1e6)" if kind_of(kind) == "time" else f"CAST({name} AS VARCHAR)"


def _may_be_nan(kind: str) -> bool:
    return kind in {"FLOAT", "DOUBLE"}


def _complete(rule: Rule, types: Mapping[str, str]) -> str:
    """Whether nothing is missing in a row's columns of a ``unique`` rule."""
    return " AND ".join(_complete_parts(rule, types))


def _complete_parts(rule: Rule, types: Mapping[str, str]) -> Iterator[str]:
    for column in rule.columns:
        yield f"{quoted(column)} IS NOT NULL"
        if _may_be_nan(types[column]):
            yield f"NOT isnan({quoted(column)})"


def _examples(sql: Sql, rule: Rule, types: Mapping[str, str]) -> tuple[Example, ...]:
    """The first rows that break a rule: the file's order is the order of the relation."""
    if rule.kind == "unique":
        return _first_repeated(sql, rule, types)
    text, values = _breaks(rule, types[rule.columns[0]])
    shown = f"coalesce(CAST({quoted(rule.columns[0])} AS VARCHAR), '')"
    rows = sql(
        "SELECT place, value FROM (SELECT row_number() OVER () AS place, "  # noqa: S608
        f"{shown} AS value, {text} AS broken FROM rows) WHERE broken = 1 LIMIT {EXAMPLES}",
        *values,
    )
    return tuple(Example(place, value) for place, value in sorted(rows))


def _first_repeated(sql: Sql, rule: Rule, types: Mapping[str, str]) -> tuple[Example, ...]:
    """The first rows that have an equal one: they are among the groups that begin first."""
    keys = [f"k{i}" for i in range(len(rule.columns))]
    named = ", ".join(f"{quoted(c)} AS {k}" for c, k in zip(rule.columns, keys, strict=True))
    shown = ", ".join(f"CAST({key} AS VARCHAR)" for key in keys)
    groups = sql(
        f"SELECT min(place, {EXAMPLES}), concat_ws(', ', {shown}) FROM "  # noqa: S608
        f"(SELECT row_number() OVER () AS place, {named}, {_complete(rule, types)} AS complete "
        f"FROM rows) WHERE complete GROUP BY {', '.join(keys)} HAVING count(*) > 1 "
        f"ORDER BY min(place) LIMIT {EXAMPLES}"
    )
    rows = sorted((place, value) for places, value in groups for place in places)
    return tuple(Example(place, value) for place, value in rows[:EXAMPLES])

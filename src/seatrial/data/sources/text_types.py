"""Which type do all the texts of a column have?

The type is a property of the set of values, whatever their order: what a sample looks like is
only a guess, and every row confirms it. So the one code with a leading zero in a million rows
keeps its column a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seatrial.data.column import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

SAMPLE = 2_000
"""Rows that the first guess comes from; a wrong one costs another scan of its column alone."""

WIDE = 400
"""Beyond so many columns they become rows to be counted: such a plan does not grow with them."""

_AT_ONCE = 1000
"""Columns that are read at once then: a vector of each is in memory."""

_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = f"{_DAY}([T ][0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}}(\\.[0-9]+)?)?Z?)?"


def types_of(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]
) -> dict[str, str]:
    """The type of each column of a relation of texts, from every row.

    ``BOOLEAN`` for true and false, yes and no; ``BIGINT``; ``DOUBLE``, unless all values are
    digits and some begin with 0 or + (a code); ``DATE`` and ``TIMESTAMP`` as ISO 8601 writes them
    (in UTC); else ``VARCHAR``, as for a column without values.
    """
    if not names:
        return {}
    return {name: counts.type for name, counts in _counted(connection, relation, names).items()}


def types_in_one_scan(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]
) -> tuple[dict[str, str], int]:
    """The same types, and the number of rows: guessed from the first rows, confirmed by all.

    A column that is not what it looked like at first costs one more scan, and so does every
    thousand of columns.
    """
    if len(names) > WIDE:
        rows = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()  # noqa: S608
        return types_of(connection, relation, names), rows[0] if rows else 0
    guesses = _counted(connection, f"(FROM {relation} LIMIT {SAMPLE})", names)
    wanted = ", ".join(_confirmation(quoted(name), guesses[name]) for name in names)
    rows, *confirmed = (
        connection.execute(f"SELECT count(*), {wanted} FROM {relation}").fetchone() or ()  # noqa: S608
    )
    wrong = [name for name, right in zip(names, confirmed, strict=True) if not right]
    found = {name: guesses[name].type for name in names}
    return found | types_of(connection, relation, wrong), rows


def as_guessed(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """How to read typed rows at once, when the first rows look like all others.

    As what each column is to be read, and the expressions that make the rows of it: they raise
    an error where a value is not what was guessed.
    """
    guesses = _counted(connection, f"(FROM {relation} LIMIT {SAMPLE})", names)
    # Where a fraction was seen, to be read as a number is all that is asked.
    direct = {name: g.type == "DOUBLE" and bool(g.decimals) for name, g in guesses.items()}
    read = {name: "DOUBLE" if direct[name] else "VARCHAR" for name in names}
    typed = [
        quoted(name)
        if direct[name]
        else f"{_demanded(quoted(name), guesses[name])} AS {quoted(name)}"
        for name in names
    ]
    return read, typed


def _demanded(text: str, guess: Counts) -> str:
    alike = _alike(text, guess)
    if alike == "TRUE":
        return text
    right = f"CAST({text} AS {guess.type})"
    return f"CASE WHEN {text} IS NULL OR ({alike}) THEN {right} ELSE error('another type') END"


class Counts(NamedTuple):
    """How many values there are, and how many of them could be of which type."""

    values: int
    booleans: int
    integers: int
    numbers: int
    codes: int
    decimals: int
    days: int
    times: int

    @property
    def type(self) -> str:
        """The first type, from narrow to wide, that all values fit."""
        if not self.values:
            return "VARCHAR"
        fitting = {
            "BOOLEAN": self.booleans,
            "BIGINT": self.integers,
            "DOUBLE": self.numbers if self.decimals or not self.codes else -1,
            "DATE": self.days,
            "TIMESTAMP": self.times,
        }
        return next((kind for kind, n in fitting.items() if n == self.values), "VARCHAR")


def _counted(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]
) -> dict[str, Counts]:
    width = len(Counts._fields)
    if len(names) <= WIDE:
        wanted = ", ".join(count for name in names for count in _counts(quoted(name)))
        counts = connection.execute(f"SELECT {wanted} FROM {relation}").fetchone() or ()  # noqa: S608
        return {name: Counts(*counts[i * width : (i + 1) * width]) for i, name in enumerate(names)}
    found = dict.fromkeys(names, Counts(*[0] * width))
    wanted = ", ".join(_counts("value"))
    for start in range(0, len(names), _AT_ONCE):
        part = ", ".join(map(quoted, names[start : start + _AT_ONCE]))
        query = f"""SELECT name, {wanted} FROM (UNPIVOT (SELECT {part} FROM {relation})
            ON {part} INTO NAME name VALUE value) GROUP BY name"""  # noqa: S608
        found |= {name: Counts(*n) for name, *n in connection.execute(query).fetchall()}
    return found


def _counts(text: str) -> tuple[str, ...]:
    """One expression for each field of :class:`Counts`."""
    return (
        f"count({text})",
        f"count_if({_boolean(text)})",
        f"count_if({_like(text, ' *-?(0|[1-9][0-9]*) *')} AND {_fits(text, 'BIGINT')})",
        f"count_if({_fits(text, 'DOUBLE')})",
        f"count_if({_code(text)})",
        f"count_if({_decimal(text)})",
        f"count_if({_like(text, _DAY)} AND {_fits(text, 'DATE')})",
        f"count_if({_like(text, _TIME)} AND {_fits(text, 'TIMESTAMP')})",
    )


def _confirmation(text: str, guess: Counts) -> str:
    """A cheap condition over all values that only holds when the guess is right."""
    return f"count({text}) = count_if({_alike(text, guess)})"


def _alike(text: str, guess: Counts) -> str:
    """What each value is when the guess is right: cheaper than to look whether it is."""
    kind = guess.type
    if not guess.values:
        return "FALSE"
    if kind == "VARCHAR" and guess.numbers == guess.values:  # codes, unless a decimal follows
        return f"NOT ({_decimal(text)})"
    if kind == "VARCHAR":  # no type fits the first rows, so none fits all
        return "TRUE"
    if kind == "DOUBLE":
        whole = "" if guess.decimals else f" AND NOT {_code(text)}"
        return f"{_fits(text, 'DOUBLE')}{whole}"
    if kind in {"BIGINT", "DATE"}:  # as it would be written: no code, no fraction, no time
        return f"TRY_CAST({text} AS {kind})::VARCHAR = {text}"
    return _boolean(text) if kind == "BOOLEAN" else f"{_like(text, _TIME)} AND {_fits(text, kind)}"


def _boolean(text: str) -> str:
    return f"{text} NOT IN ('0', '1') AND {_fits(text, 'BOOLEAN')}"


def _code(text: str) -> str:
    return _like(text, " *([+-]?0[0-9].*|[+].*|.*_.*)")


def _decimal(text: str) -> str:
    return f"{_like(text, '[^_]*[.einEIN][^_]*')} AND {_fits(text, 'DOUBLE')}"


def _like(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, '{pattern}')"


def _fits(text: str, kind: str) -> str:
    return f"TRY_CAST({text} AS {kind}) IS NOT NULL"

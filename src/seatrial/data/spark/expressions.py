"""How are a column's values written in Spark's SQL, so that they mean what they mean in duckdb?

No expression depends on a session's settings: times are whole microseconds since 1970 UTC by
functions that know no time zone, and texts are never parsed by Spark's own rules for literals.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.data.spark.types import Field

_HARMLESS = re.compile(r"[A-Za-z0-9 _.:/+-]*")
_EXACT = 2**53
"""Integers up to this one are exact as 64-bit floats."""

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def named(name: str) -> str:
    """A column's name as an identifier of Spark.

    >>> named("a`b c")
    '`a``b c`'
    """
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text, whatever is in it and however the session reads backslashes.

    >>> literal("AA"), literal("it's")
    ("'AA'", "decode(unhex('69742773'), 'UTF-8')")
    """
    if _HARMLESS.fullmatch(text):
        return f"'{text}'"
    return f"decode(unhex('{text.encode('utf-8', 'replace').hex()}'), 'UTF-8')"


def number(value: float) -> str:
    """A 64-bit float, to the last bit.

    >>> number(0.1)
    "CAST('0.1' AS DOUBLE)"
    """
    return f"CAST('{value!r}' AS DOUBLE)"


def value(field: Field) -> str:
    """What is compared: numbers as 64-bit floats, times as seconds, all else as text."""
    if field.column.kind == "number":
        return _float(field)
    if field.column.kind == "time":
        return f"(CAST({micros(field)} AS DOUBLE) / 1000000D)"
    return text(field)


def text(field: Field) -> str:
    """The value as text, compared byte by byte whatever the column's own collation."""
    written = f"CAST({named(field.column.name)} AS STRING)"
    return f"collate({written}, 'UTF8_BINARY')" if " collate " in field.spark else written


def groupable(field: Field) -> str:
    """The value itself, or its text where Spark can neither hash nor group it."""
    return text(field) if field.unordered else named(field.column.name)


def is_nan(field: Field) -> str | None:
    """Whether the value is NaN; None when no value of its type is."""
    return f"isnan({named(field.column.name)})" if field.spark in {"float", "double"} else None


def is_missing(field: Field) -> str:
    """Whether there is no value, NaN included."""
    nan = is_nan(field)
    return f"({named(field.column.name)} IS NULL{f' OR {nan}' if nan else ''})"


def micros(field: Field, name: str | None = None) -> str:
    """A time as whole microseconds since 1970-01-01 UTC, or since midnight.

    NULL of an interval, which is neither.
    """
    name = named(field.column.name) if name is None else name
    kind = field.column.type
    if kind == "DATE":
        return f"(CAST(unix_date({name}) AS BIGINT) * 86400000000)"
    if kind == "TIMESTAMP":
        return f"timestampdiff(MICROSECOND, TIMESTAMP_NTZ'1970-01-01 00:00:00', {name})"
    if kind == "TIME":
        return f"time_to_micros({name})"
    return "CAST(NULL AS BIGINT)" if kind == "INTERVAL" else f"unix_micros({name})"


def row_hash(fields: Iterable[Field]) -> str:
    """A row as 64 bits. What is NULL is said apart: Spark's hash passes over it."""
    parts = (f"isnull({named(f.column.name)}), {groupable(f)}" for f in fields)
    return f"xxhash64({', '.join(parts)})"


def is_text(field: Field, wanted: str | None) -> str:
    """Whether duckdb would write the value as this text; None: whether it is missing."""
    name = named(field.column.name)
    if wanted is None:
        return f"{name} IS NULL"
    if field.column.kind not in {"number", "time"}:
        return f"{text(field)} <=> {literal(wanted)}"
    meant, written = _read(wanted, field.column.type)
    if field.column.kind == "time":
        return f"{micros(field)} <=> {meant}" if written == wanted else "FALSE"
    return _is_number(field, wanted) if written == wanted else "FALSE"


def _is_number(field: Field, wanted: str) -> str:
    name = named(field.column.name)
    if wanted in {"0.0", "-0.0"} and is_nan(field):  # equal as numbers, but not as texts
        return f"CAST({name} AS STRING) <=> '{wanted}'"
    # Parquet's own statistics never find a NaN by comparison.
    nan = is_nan(field) if wanted == "nan" else None
    return nan or f"{name} <=> CAST('{wanted}' AS {field.spark})"


def shown(field: Field, name: str | None = None) -> str:
    """The value as a text from which :func:`as_written` makes duckdb's; ``name``: its other one."""
    called = named(field.column.name) if name is None else name
    exact = micros(field, called) if field.column.kind == "time" else called
    return f"coalesce(CAST({exact} AS STRING), '')"


def as_written(field: Field, spark: str) -> str:
    """How duckdb would write the value that :func:`shown` gave."""
    kind = field.column.type
    if not spark or field.column.kind not in {"number", "time"} or kind == "INTERVAL":
        return spark
    if field.column.kind == "number":
        return _read(spark, kind)[1] or spark
    made = f"(TIMESTAMP '1970-01-01' + to_microseconds({int(spark)}))"
    if kind == "TIMESTAMP WITH TIME ZONE":
        made = f"({made} AT TIME ZONE 'UTC')"
    return str(
        _duckdb().execute(f"SELECT CAST(CAST({made} AS {kind}) AS VARCHAR)").fetchall()[0][0]
    )


def _read(text: str, kind: str) -> tuple[int | None, str | None]:
    """The microseconds (of times) and duckdb's own text of what ``text`` is as that type."""
    is_time = kind.startswith(("DATE", "TIME"))
    exact = "epoch_us(v)" if is_time else "NULL"
    query = f"SELECT {exact}, CAST(v AS VARCHAR) FROM (SELECT TRY_CAST(? AS {kind}) AS v)"  # noqa: S608 - ours
    return cast("tuple[int | None, str | None]", _duckdb().execute(query, [text]).fetchone())


def _duckdb() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _float(field: Field) -> str:
    """A number as a 64-bit float. Wide decimals are rounded in the two steps of duckdb."""
    name = named(field.column.name)
    whole = f"CAST({name} AS DOUBLE)"
    decimal = _DECIMAL.fullmatch(field.column.type)
    if not decimal:
        return whole
    digits, scale = int(decimal[1]), int(decimal[2])
    if digits < len(str(_EXACT)) or not scale:
        return whole
    limit = f"CAST('{_EXACT}E-{scale}' AS {field.spark})"
    cut = f"CASE WHEN {name} < 0 THEN ceil({name}) ELSE floor({name}) END"
    parts = f"CAST({cut} AS DOUBLE) + CAST({name} % CAST(1 AS DECIMAL(1,0)) AS DOUBLE)"
    return f"(CASE WHEN abs({name}) <= {limit} THEN {whole} ELSE {parts} END)"

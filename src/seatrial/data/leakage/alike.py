"""How are the columns of two tables compared: as the model sees them, or as names of things?

SQL expressions over one table's rows; equal values of the two tables give equal results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.column import quoted

if TYPE_CHECKING:
    from seatrial.data.column import Column, Kind

_NUMERIC = frozenset({"number", "boolean"})


def as_seen(column: Column, trained_as: Kind) -> str:
    """A feature as the model sees it, whose training column was of the kind ``trained_as``.

    Numbers are 32-bit floats, so that a file which rounds to them hides nothing; -0.0 is 0.0, and
    NaN is what is missing or beyond 32 bits. All else is text, and missing text is empty.
    """
    name = quoted(column.name)
    if trained_as not in _NUMERIC:
        return f"coalesce(CAST({name} AS VARCHAR), '')"
    number = f"CAST({name} AS DOUBLE)"
    if column.kind not in _NUMERIC:
        number = f"TRY_CAST(CAST({name} AS VARCHAR) AS DOUBLE)"
    # no part is said twice: duckdb looks for such parts in quadratic time, and columns are many
    return f"coalesce(TRY_CAST({number} AS FLOAT), 'nan'::FLOAT)"


def as_name(column: Column) -> str:
    """A key as text, NULL where missing: whole numbers of any type are written alike."""
    text = f"CAST({quoted(column.name)} AS VARCHAR)"
    if column.kind == "number" and not column.is_integer:
        text = f"nullif(regexp_replace({text}, '\\.0+$', ''), 'nan')"
    return f"nullif({text}, '')"


def as_moment(column: Column) -> str | None:
    """A time as seconds since 1970 UTC, a number as itself; ``None`` for what has no order.

    NULL where missing, or infinite.
    """
    name = quoted(column.name)
    if column.kind == "number":
        return f"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN CAST({name} AS DOUBLE) END"
    if column.type == "DATE" or column.type.startswith("TIMESTAMP"):
        zoned = column.type == "TIMESTAMP WITH TIME ZONE"
        # a date reaches farther than timestamps do
        moment = name if zoned or column.type == "DATE" else f"CAST({name} AS TIMESTAMP)"
        return f"CASE WHEN isfinite({moment}) THEN epoch({moment}) END"
    return None

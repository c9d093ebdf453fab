"""Is a column of the type that is demanded, and if not, how can it be put right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.data.meant import meant
from seatrial.data.schema.demands import NUMBERS, TIMES, seconds
from seatrial.data.shape import Shape
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.data import Rows
    from seatrial.data.column import Column, Kind
    from seatrial.data.schema.demands import ColumnDemand, Type

_LOOKED_AT = 50
"""So many of a text column's most frequent values are looked at, to see what was meant."""

_EXPLAINED = 20
"""So many columns of the wrong type are explained: each costs a scan."""

_HOLDS = {
    "number": "numbers",
    "boolean": "true and false",
    "string": "text",
    "time": "times",
    "other": "nested or binary values",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """The columns whose values can be judged, and what is told of the others.

    ``wrong`` are columns of another type; ``empty`` those without any value, which may be of
    every type.
    """

    usable: tuple[Column, ...]
    wrong: tuple[Finding, ...]
    empty: tuple[Finding, ...]


def typed(table: Rows, demands: Mapping[str, ColumnDemand], place: str) -> Typed:
    """Hold the columns of a dataset that have a demand against the types demanded."""
    columns = [column for column in table.columns if column.name in demands]
    odd = [c for c in columns if not _satisfies(c, demands[c.name])]
    counted = table.tally([Shape(column) for column in odd]) if odd else ()
    nulls = {column.name: column.nulls for column in counted}
    empty = [column for column in odd if nulls[column.name] == table.rows]
    wrong = [column for column in odd if column not in empty]
    return Typed(
        usable=tuple(column for column in columns if column not in odd),
        wrong=tuple(
            _wrong(table, column, demands[column.name], place, explained=i < _EXPLAINED)
            for i, column in enumerate(wrong)
        ),
        empty=tuple(
            Finding(
                what=f"`{column.name}` has no value in any row, so it may be of any type",
                where=place,
            )
            for column in empty
        ),
    )


def _satisfies(column: Column, demand: ColumnDemand) -> bool:
    wanted = demand.meant_type
    if wanted is None:
        return demand.allowed is None or _can_be_listed(column, demand)
    return is_of(column, wanted)


def is_of(column: Column, wanted: Type) -> bool:
    """Whether a column is of a type, or of one that is a special case of it.

    >>> from seatrial.data.column import Column
    >>> is_of(Column("day", "time", "DATE"), "timestamp"), is_of(Column("n", "number", "DOUBLE"),
    ...     "integer")
    (True, False)
    """
    name = column.type.partition(" ")[0].partition("_")[0]
    if wanted in NUMBERS:
        whole = column.is_integer or (name.startswith("DECIMAL") and column.type.endswith(",0)"))
        return column.kind == "number" and (wanted == "number" or whole)
    if wanted in TIMES:
        names = {"date": {"DATE"}, "timestamp": {"TIMESTAMP", "DATE"}, "time": {"TIME"}}[wanted]
        return name in names
    return column.kind == wanted


def _can_be_listed(column: Column, demand: ColumnDemand) -> bool:
    """Whether texts that are allowed, of a type that nobody named, can be those of the column."""
    if column.kind != "time":
        return column.kind in {"string", "other"}
    try:
        [seconds(str(value), time_type(column)) for value in demand.allowed or ()]
    except (ValueError, OverflowError):
        return False
    return True


def time_type(column: Column) -> Type:
    """How values of a column of times are written."""
    return "time" if is_of(column, "time") else "timestamp"


def _wrong(
    table: Rows, column: Column, demand: ColumnDemand, place: str, *, explained: bool
) -> Finding:
    wanted = demand.meant_type or "string"
    what = f"`{column.name}` holds {_HOLDS[column.kind]} ({column.type.strip(chr(34))})"
    expected = f"expected {wanted}" if demand.type else f"what is demanded of it needs {wanted}"
    hint = _hint(table, column, wanted) if explained else ""
    return Finding(what=f"{what}, {expected}", where=place, hint=hint)


def _hint(table: Rows, column: Column, wanted: Type) -> str:
    if column.kind == "string":
        values = [value for value, _ in table.unlisted(column.name, (), _LOOKED_AT)]
        return meant(values, _kind(wanted)) or f"it holds such as {listed(_quoted(values), 3)}"
    if wanted == "integer" and column.kind == "number":
        return "write `type: number`, or whole numbers only"
    if wanted == "string":
        return "its values all look alike; where that is right, correct the type that is demanded"
    if wanted == "boolean" and column.kind == "number":
        return "write true and false, or `type: integer` with `allowed: [0, 1]`"
    return "correct the values, or the type that is demanded"


def _kind(wanted: Type) -> Kind:
    if wanted in NUMBERS:
        return "number"
    return "time" if wanted in TIMES else "boolean"


def _quoted(values: Sequence[str]) -> list[str]:
    return [repr(value[:40]) for value in values]

"""What may be demanded of a dataset? Values, as the YAML has them.

A file that holds nothing but these keys is read by ``tasks/_schema_file.py``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Type = Literal["integer", "number", "boolean", "string", "date", "timestamp", "time"]
Value = bool | int | float | str

NUMBERS = ("integer", "number")
TIMES = ("date", "timestamp", "time")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([mhd])")


class ColumnDemand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one column must be: a key under ``columns:``."""

    type: Type | None = None
    nullable: bool = True
    max_null_percent: Annotated[float, Meta(ge=0, le=100)] | None = None
    min: float | str | None = None
    max: float | str | None = None
    allowed: tuple[Value, ...] | None = None
    unique: bool = False

    @property
    def meant_type(self) -> Type | None:
        """The type that is written, else the one that the bounds or allowed values imply."""
        if self.type is not None:
            return self.type
        bound = self.min if self.min is not None else self.max
        if isinstance(bound, str):
            return "time" if time_of_day(bound) is not None else "timestamp"
        if bound is not None or are_all(self.allowed, int, float):
            return "number"
        return "boolean" if are_all(self.allowed, bool) else None


class RowDemand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many rows there must be: the key ``rows:``."""

    min: Annotated[int, Meta(ge=0)] | None = None
    max: Annotated[int, Meta(ge=0)] | None = None


class Freshness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How old the newest value of a column may be: the key ``freshness:``."""

    column: str
    max_age: Annotated[str, Meta(examples=["2d"])]

    @property
    def age(self) -> timedelta:
        """The age in words of Python; ValueError when it cannot be read."""
        found = _AGE.fullmatch(self.max_age)
        if found is None:
            raise ValueError(self.max_age)
        return timedelta(**{_UNITS[found[2]]: float(found[1])})


class Demands(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is demanded of a dataset: what a schema file holds."""

    expected_columns: tuple[str, ...] = ()
    strict: bool = False
    columns: dict[str, ColumnDemand] = msgspec.field(default_factory=dict)
    keys: Annotated[tuple[tuple[str, ...], ...], Meta(examples=[[["carrier", "flight"]]])] = ()
    rows: RowDemand | None = None
    freshness: Freshness | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that must exist, those of ``expected_columns`` first, each once."""
        of_keys = [name for key in self.keys for name in key]
        fresh = [self.freshness.column] if self.freshness else []
        return tuple(dict.fromkeys([*self.expected_columns, *self.columns, *of_keys, *fresh]))


def seconds(bound: float | str, kind: Type | None) -> float:
    """A bound as the rules want it: numbers as they are, times as seconds since 1970 UTC.

    >>> seconds("1970-01-02", "date"), seconds("00:01", "time"), seconds(3, "number")
    (86400.0, 60.0, 3.0)
    """
    if not isinstance(bound, str):
        return float(bound)
    if kind == "time":
        of_day = time_of_day(bound)
        if of_day is None:
            raise ValueError(bound)
        midnight = datetime.combine(datetime(1970, 1, 1, tzinfo=UTC), of_day.replace(tzinfo=UTC))
        return midnight.timestamp()
    at = datetime.fromisoformat(bound)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def time_of_day(text: str) -> time | None:
    """A time of the day, ``None`` when the text is none."""
    try:
        return time.fromisoformat(text) if ":" in text else None
    except ValueError:
        return None


def are_all(values: tuple[Value, ...] | None, *kinds: type) -> bool:
    """Whether there are values, all of these very types: true is no number."""
    return bool(values) and all(type(value) in kinds for value in values or ())

"""A column: its name, kind and type, and how it is named in SQL and in errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["number", "boolean", "string", "time", "other"]

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_KINDS: dict[str, Kind] = {
    **{f"{sign}{name}": "number" for sign in ("", "U") for name in _INTEGERS},
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), "number"),
    "BOOLEAN": "boolean",
    # A column of nothing but nulls has the type "NULL" in Arrow files.
    **dict.fromkeys(("VARCHAR", "ENUM", "UUID", '"NULL"'), "string"),
    **dict.fromkeys(("DATE", "TIME", "TIMESTAMP"), "time"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, its kind, and its type in the words of duckdb (whatever engine reads it)."""

    name: str
    kind: Kind
    type: str

    @property
    def is_integer(self) -> bool:
        """Whether every value is a whole number by its type."""
        return self.type.removeprefix("U") in _INTEGERS


def kind_of(type_name: str) -> Kind:
    """The kind of a type of duckdb.

    >>> kind_of("DECIMAL(18,3)"), kind_of("TIMESTAMP WITH TIME ZONE"), kind_of("INTEGER[]")
    ('number', 'time', 'other')
    """
    if type_name.endswith("]"):
        return "other"
    words = type_name.replace("_", " ").replace("(", " ").split()
    return _KINDS.get(words[0], "other")


def quoted(name: str) -> str:
    """A column's name as an SQL identifier.

    >>> print(quoted('a"b c'))
    "a""b c"
    """
    return '"' + name.replace('"', '""') + '"'


def listed(names: Mapping[str, object] | Sequence[str], most: int = 12) -> str:
    """Names in a row, the rest counted.

    >>> listed(["a", "b", "c"], most=2)
    'a, b … and 1 more'
    """
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" … and {rest} more" if rest > 0 else "")

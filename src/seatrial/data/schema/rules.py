"""What may be demanded of a dataset's columns, and what breaks it? Values only.

Every engine gives the same counts, so the words here are exact:

- *Missing* is NULL, and NaN in a column of numbers. Missing values break ``not_null`` alone; a
  row in which any of a ``unique`` rule's columns is missing is not looked at by that rule.
- *Numbers* are compared as 64-bit floats, whatever their type: integers beyond 2**53 are rounded
  first. -0.0 is 0.0. An infinity breaks every ``range``, also the side that has no bound.
- *Times* are compared as seconds since 1970-01-01 UTC, from whole microseconds (what is finer is
  cut off); a date is its first moment, a time of the day counts from midnight, and what has no
  zone is UTC.
- *Text* is every other value, as ``CAST(x AS VARCHAR)`` writes it: booleans are ``true`` and
  ``false``. It is compared letter by letter, case and spaces included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EXAMPLES = 3
"""So many rows that break a rule are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One demand on ``columns`` (one, but for ``unique``, which takes several together).

    ``not_null``: no value is missing.
    ``range``: of numbers and times only; from ``low`` to ``high``, both included, where given.
    ``allowed``: numbers and times are one of ``numbers``; anything else is, as text, one of
    ``values``.
    ``unique``: no two rows are equal in all ``columns``.
    """

    kind: Literal["not_null", "range", "allowed", "unique"]
    columns: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A row that breaks a rule: its number from 1 where rows have an order, and what it holds.

    ``value`` is the text of the value; of several columns, joined by ``", "``; empty where it
    is missing.
    """

    row: int | None
    value: str


@dataclass(frozen=True, slots=True)
class Violation:
    """How many ``rows`` break ``rule``, and up to three of them, the first ones first.

    Where many rules are broken, those after the first few may have no examples.
    Of ``unique``, every row that has an equal one counts, the first of them too.
    """

    rule: Rule
    rows: int
    examples: tuple[Example, ...]

"""What may be demanded of the values of a column, and what breaks it? Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One demand on ``columns`` (one, but for ``unique``, which takes several together).

    ``not_null``: no value is missing. ``range``: numbers and times (seconds since 1970 UTC) lie
    from ``low`` to ``high``, both included, where given; NaN and infinities break it.
    ``allowed``: the value, as text, is one of ``values``. ``unique``: no two rows are equal in
    ``columns``. Missing values break only ``not_null``.
    """

    kind: Literal["not_null", "range", "allowed", "unique"]
    columns: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A row that breaks a rule: its number from 1 where rows have an order, and what it holds."""

    row: int | None
    value: str


@dataclass(frozen=True, slots=True)
class Violation:
    """How many ``rows`` break ``rule``, and up to three of them, the first ones first."""

    rule: Rule
    rows: int
    examples: tuple[Example, ...]

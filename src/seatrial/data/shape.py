"""On which edges and values is a column counted, and what was counted? Values only."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.data.column import Column, Kind

BINS = 20
"""Numbers fall in this many bins of about equal count."""

TOP = 50
"""The most frequent texts that are counted by name; the rest is counted together."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How to count one column: inner ``edges`` of numbers and times, or listed ``values``."""

    column: Column
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Within:
    """Only the rows whose text in ``column`` is ``value``; None: only those without one."""

    column: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnProfile:
    """One column's distribution.

    Numbers and times: ``counts[i]`` are the values above ``edges[i - 1]`` up to and with
    ``edges[i]``; the first has no lower end, the last no upper one, so there is one count more
    than edges. Infinities are counted in the outer bins, and again in ``infinities``. Times are
    seconds since 1970-01-01 UTC.
    Text and booleans: ``counts[i]`` are the rows with ``values[i]``, ``other`` all the rest.
    ``minimum`` to ``deviation`` are of the finite numbers, None without any.
    """

    name: str
    kind: Kind
    type: str = ""
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    other: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None

    @property
    def missing(self) -> int:
        """The rows without a value."""
        return self.nulls + self.nans

    @property
    def shape(self) -> Shape:
        """The edges and values on which another dataset is counted like this one."""
        return Shape(Column(self.name, self.kind, self.type), self.edges, self.values)

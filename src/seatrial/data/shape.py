"""On which edges and values is a column counted, and what was counted? Values only."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.data.column import Column, Kind

BINS = 20
"""Numbers and times fall in this many bins of about equal count."""

TOP = 50
"""The most frequent texts that are counted by name; the rest is counted together."""

BOOLEANS = ("false", "true")
"""The values of a boolean column."""


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
    """One column's distribution. ``counts``, ``other``, ``nulls`` and ``nans`` sum to the rows.

    Numbers and times: ``counts[i]`` are the values above ``edges[i - 1]`` up to and with
    ``edges[i]``; the first has no lower end, the last no upper one, so there is one count more
    than edges. Infinities are counted in the outer bins, and again in ``infinities``. Numbers are
    64-bit floats. Times are seconds: of dates and timestamps since 1970-01-01 UTC (one without a
    zone is UTC), of times of day since midnight; each is a whole number of microseconds divided
    by 1e6.
    Text and booleans: ``counts[i]`` are the rows with ``values[i]``, ``other`` all the rest.
    Nested and binary values, and intervals: ``other`` are those present, and nothing else is
    counted.
    ``minimum`` and ``maximum`` are of the finite numbers, None without any; ``n`` is how many
    ``mean`` and ``deviation`` (of the population) are of: those below 1e150 in absolute value.
    ``note`` says in words what is special: a constant, no values at all.
    """

    name: str
    kind: Kind
    type: str = ""
    note: str = ""
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    other: int = 0
    n: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None

    @property
    def missing(self) -> int:
        """The rows without a value."""
        return self.nulls + self.nans

    @property
    def present(self) -> int:
        """The rows with a value."""
        return sum(self.counts) + self.other

    @property
    def shape(self) -> Shape:
        """The edges and values on which another dataset is counted like this one."""
        return Shape(Column(self.name, self.kind, self.type), self.edges, self.values)

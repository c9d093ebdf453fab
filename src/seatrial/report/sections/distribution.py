"""Which columns moved, and where in them: the reference over what came now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from seatrial.report._number import as_given, number
from seatrial.report.charts.histogram import histogram
from seatrial.report.section import Badge, Facts, Folded, Note, Section, Table
from seatrial.report.sections._kept import every, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.report.section import Cell, Chart, Part
    from seatrial.report.sections import Sources

MOST = 50
"""So many columns are drawn, those that moved farthest first; the others have their numbers."""

_VALUES = 24
"""So many values of a column have a bin of their own in a picture."""

_RANKS = ("fail", "inconclusive", "pass", "skip")


class _Bins(msgspec.Struct, frozen=True):
    rows: int
    counts: tuple[int, ...]
    other: int = 0
    nulls: int = 0
    nans: int = 0
    infinities: int = 0
    mean: float | None = None
    deviation: float | None = None

    @property
    def missing(self) -> int:
        return self.nulls + self.nans


class _Slice(msgspec.Struct, frozen=True):
    column: str
    value: str | None


class _Change(msgspec.Struct, frozen=True):
    name: str
    before: float
    now: float


class _Column(msgspec.Struct, frozen=True):
    """One column, or a slice of it; ``edges`` lie between the bins of numbers and times."""

    column: str
    slice: _Slice | None
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    verdict: str
    names: tuple[str, ...]
    reference: _Bins
    current: _Bins
    kind: str
    edges: tuple[float, ...] = ()
    contributors: tuple[_Change, ...] = ()

    @property
    def name(self) -> str:
        part = self.slice
        return self.column if part is None else f"{self.column} where {part.column} = {part.value}"

    @property
    def reach(self) -> float:
        """How far it moved, in parts of what it may."""
        return (self.value or 0.0) / (self.limit or 1.0)


class _Source(msgspec.Struct, frozen=True):
    dataset: str
    rows: int


class Distribution(msgspec.Struct, frozen=True):
    """What is read of the document that ``data/drift/document.py`` describes."""

    format: Literal["seatrial.distribution"]
    version: Literal[1]
    dataset: str
    rows: int
    reference: _Source
    measure: str
    unit: str
    verdict: str
    columns: tuple[_Column, ...]


def section(sources: Sources) -> Section | None:
    """The comparison of every ``check_distribution``."""
    kept = every(sources, "distribution", Distribution, "The distributions")
    if not kept:
        return None
    several = len(kept) > 1
    parts: list[Part] = []
    for address, found in kept:
        if several:
            parts.append(Facts((("task", address),)))
        parts.extend([found] if isinstance(found, Note) else _parts(found))
    return Section(anchor="distribution", title="Distributions", parts=tuple(parts))


def of_document(content: bytes) -> Section:
    """The same of one document, as ``seatrial validate`` makes it without a run."""
    found = read(content, Distribution, "The distributions")
    parts = (found,) if isinstance(found, Note) else tuple(_parts(found))
    return Section(anchor="distribution", title="Distributions", parts=parts)


def _parts(found: Distribution) -> Iterator[Part]:
    ranked = sorted(found.columns, key=lambda each: (_RANKS.index(_known(each)), -each.reach))
    open_ones = [each for each in ranked if each.verdict in {"fail", "inconclusive"}]
    others = ranked[len(open_ones) :]
    moved = sum(each.verdict == "fail" for each in ranked)
    yield Note(
        f"{moved} of {len(ranked)} columns moved, {len(open_ones) - moved} are not settled:"
        f" {found.dataset} ({found.rows} rows) over {found.reference.dataset}"
        f" ({found.reference.rows} rows)."
    )
    if open_ones:
        yield _table(found, open_ones)
        yield Note(
            "The bins below are those by which it was judged, each drawn equally wide whatever it"
            " spans."
        )
        yield from map(_drawn, open_ones[:MOST])
        yield from _infinite(open_ones[:MOST])
    if others:
        many = f"{len(others)} column{'s' * (len(others) != 1)} that did not move"
        yield Folded(many, (_table(found, others),))


def _infinite(columns: Sequence[_Column]) -> Iterator[Note]:
    """What lies in an outermost bin, and beyond any number."""
    for each in columns:
        before, now = each.reference.infinities, each.current.infinities
        if before or now:
            yield Note(
                f"{each.name}: {before} values of the reference and {now} of the current rows are"
                " infinite. The outermost bins count them; the means do not."
            )


def _known(column: _Column) -> str:
    return column.verdict if column.verdict in _RANKS else _RANKS[-1]


def _table(found: Distribution, columns: Sequence[_Column]) -> Table:
    unit = found.unit or found.measure
    heads = (
        "column",
        unit,
        "at least",
        "at most",
        "limit",
        "missing",
        "mean",
        "changed most",
        "verdict",
    )
    rows = tuple(map(_row, columns))
    return Table(heads=heads, rows=rows, numbers=frozenset({1, 2, 3, 4}))


def _row(each: _Column) -> tuple[Cell, ...]:
    return (
        each.name,
        number(each.value, each.limit),
        number(each.low, each.limit),
        number(each.high, each.limit),
        "-" if each.limit is None else as_given(each.limit, each.value, each.low, each.high),
        _went(_missing(each.reference), _missing(each.current)),
        _went(number(each.reference.mean), number(each.current.mean)),
        _most_changed(each),
        Badge(each.verdict),
    )


def _missing(bins: _Bins) -> str:
    return f"{number(100 * bins.missing / bins.rows)} %" if bins.rows else "-"


def _went(before: str, now: str) -> str:
    """From what to what, where it went anywhere.

    >>> _went("3", "4"), _went("3", "3")
    ('3 → 4', '3')
    """
    return before if before == now else f"{before} → {now}"


def _most_changed(column: _Column) -> str:
    if not column.contributors:
        return ""
    first = column.contributors[0]
    return f"{first.name}: {number(100 * first.before)} → {number(100 * first.now)} %"


def _drawn(column: _Column) -> Chart | Note:
    """Both over the same bins, and what is missing beside them."""
    names = [_short(name, column.column) for name in column.names]
    before, now = (_counts(bins, len(names)) for bins in (column.reference, column.current))
    if not len(names) == len(before) == len(now):
        return Note(f"{column.name} cannot be drawn: its bins do not fit their names.")
    edges: tuple[float, ...] | None = column.edges if column.kind == "number" else None
    if not column.edges:
        names, before, now = _largest(names, before, now)
    if column.reference.missing or column.current.missing:
        names, edges = [*names, "missing"], None
        before, now = [*before, column.reference.missing], [*now, column.current.missing]
    return histogram(column.name, names, before, now, edges)


def _short(name: str, column: str) -> str:
    """A bin without its column, which stands above the picture.

    >>> _short("day in 2 to 7", "day"), _short("carrier = UA", "carrier")
    ('in 2 to 7', 'UA')
    """
    return name.removeprefix(f"{column} ").removeprefix("= ")


def _counts(bins: _Bins, many: int) -> list[int]:
    """One count a bin; what was not listed by value is the last of them."""
    return [*bins.counts] if len(bins.counts) == many else [*bins.counts, bins.other]


def _largest(
    names: Sequence[str], before: Sequence[int], now: Sequence[int]
) -> tuple[list[str], list[int], list[int]]:
    """The values with the greatest share in one of both, in their order; the rest as one bin."""
    whole, other = max(sum(before), 1), max(sum(now), 1)
    ranked = sorted(range(len(names)), key=lambda i: -max(before[i] / whole, now[i] / other))
    kept, rest = sorted(ranked[:_VALUES]), ranked[_VALUES:]
    found = [[each[i] for i in kept] for each in (before, now)]
    shown = [names[i] for i in kept]
    if rest:
        shown.append(f"{len(rest)} others")
        for counts, each in zip(found, (before, now), strict=True):
            counts.append(sum(each[i] for i in rest))
    return shown, found[0], found[1]

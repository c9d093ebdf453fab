"""Where is the model worst: slices that were named, and the worst that was found?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from seatrial.report._number import number
from seatrial.report.charts.forest import Interval, forest
from seatrial.report.section import Badge, Folded, Note, Section, Table
from seatrial.report.sections._kept import every

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

MOST = 30
"""So many slices are drawn, the worst first; the others have their numbers."""


class _Numbers(msgspec.Struct, frozen=True):
    value: float | None
    low: float | None
    high: float | None
    verdict: str


class _OnSlice(msgspec.Struct, frozen=True):
    name: str
    rows: int
    measure: _Numbers
    why: str = ""
    degradation: _Numbers | None = None


class _Worst(msgspec.Struct, frozen=True):
    name: str
    rows: int
    searched: int
    beyond_chance: bool
    measure: _Numbers
    rest: _Numbers


class Slices(msgspec.Struct, frozen=True):
    """What is read of the document that ``evaluation/slices/document.py`` describes."""

    version: Literal[1]
    dataset: str
    rows: int
    metric: str
    greater_is_better: bool
    limit: float | None
    slices: tuple[_OnSlice, ...]
    worst: _Worst | None


def section(sources: Sources) -> Section | None:
    """The slices of every ``performance_tests``."""
    kept = every(sources, "slices", Slices, "The slices")
    parts = tuple(
        part
        for address, found in kept
        for part in ([found] if isinstance(found, Note) else _parts(address, found))
    )
    return Section(anchor="slices", title="Slices", parts=parts) if parts else None


def _parts(address: str, found: Slices) -> Iterator[Part]:
    ranked = sorted(found.slices, key=lambda each: _rank(each.measure, found))
    if ranked:
        rows = [_line(f"{e.name} ({e.rows} rows)", e.measure, found) for e in ranked[:MOST]]
        title = f"{found.metric} on slices of {found.dataset} ({address})"
        yield forest(title, rows, shared=True)
    if rest := ranked[MOST:]:
        yield Folded(f"{len(rest)} more slices", (_table(rest),))
    beside = [each for each in ranked if each.degradation is not None]
    if beside:
        yield _beside(address, found, beside[:MOST])
    if found.worst is not None:
        yield from _worst(address, found, found.worst)


def _rank(measure: _Numbers, found: Slices) -> float:
    """The worst first; what has no value last."""
    if measure.value is None:
        return float("inf")
    return measure.value if found.greater_is_better else -measure.value


def _line(label: str, measure: _Numbers, found: Slices, *, judged: bool = True) -> Interval:
    return Interval(
        label=label,
        value=measure.value,
        low=measure.low,
        high=measure.high,
        limit=found.limit if judged else None,
        at_least=found.greater_is_better,
        verdict="" if measure.verdict == "skip" else measure.verdict,
    )


def _beside(address: str, found: Slices, slices: Sequence[_OnSlice]) -> Part:
    """How much worse than production on the same rows."""
    rows = [
        Interval(
            label=f"{each.name} ({each.rows} rows)",
            value=each.degradation.value,
            low=each.degradation.low,
            high=each.degradation.high,
            limit=None,
            at_least=False,
            verdict="" if each.degradation.verdict == "skip" else each.degradation.verdict,
        )
        for each in slices
        if each.degradation is not None
    ]
    return forest(f"worse than production in {found.metric} ({address})", rows, shared=True)


def _worst(address: str, found: Slices, worst: _Worst) -> Iterator[Part]:
    """The worst of all that were searched, beside the rest of the rows."""
    chance = "worse than the rest beyond chance" if worst.beyond_chance else "within chance"
    yield Note(
        f"Of {worst.searched} slices that were searched, {found.metric} is worst where"
        f" {worst.name}: {chance}, after correction for the search."
    )
    rest = found.rows - worst.rows
    yield forest(
        f"the worst slice ({address})",
        [
            _line(f"{worst.name} ({worst.rows} rows)", worst.measure, found),
            _line(f"the rest ({rest} rows)", worst.rest, found, judged=False),
        ],
        shared=True,
    )


def _table(slices: Sequence[_OnSlice]) -> Table:
    rows = tuple(map(_row, slices))
    heads = ("slice", "rows", "value", "low", "high", "verdict", "")
    return Table(heads=heads, rows=rows, numbers=frozenset({1, 2, 3, 4}))


def _row(each: _OnSlice) -> tuple[Cell, ...]:
    found = each.measure
    bounds = (number(found.value), number(found.low), number(found.high))
    return (each.name, str(each.rows), *bounds, Badge(found.verdict), each.why)

"""Which gates decided, and how near was it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.report._number import number, room
from seatrial.report.charts.forest import forest
from seatrial.report.deciding import decided, interval, limit, reported
from seatrial.report.section import Badge, Code, Folded, Note, Section, Table
from seatrial.report.sections._lines import line
from seatrial.report.sections.latency import is_speed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.report.deciding import Measured
    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

MOST = 30
"""So many gates of a task are drawn, the worst first."""
_PASSED = 6
"""So many that passed are drawn, the narrowest first; the rest has its numbers, folded."""

BOUNDS = "Low and high are one-sided bounds: each holds with 95 % or more."

_HEADS = ("measure", "value", "low … high", "limit", "n", "verdict")
_NUMBERS = frozenset({1, 2, 3, 4})


def section(sources: Sources) -> Section | None:
    """Every gate, task by task; below them what was only reported."""
    first, account = decided(sources.account), sources.account
    parts = [
        part for address, _ in account.tasks for part in of_task(address, _measures(first, address))
    ]
    if any(each["low"] is not None or each["high"] is not None for _, each in first):
        parts.insert(0, Note(BOUNDS))
    others = [each for each in reported(account) if not is_speed(each[1]["name"])]
    if others:
        parts.append(_reported(others))
    if not parts:
        return None
    return Section(anchor="gates", title="Gates", parts=tuple(parts))


def of_task(address: str, measures: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    """A line for each interval; counts, which have none, as numbers."""
    lines = [each for each in measures if each["low"] is not None or each["high"] is not None]
    counts = [each for each in measures if each["low"] is None and each["high"] is None]
    open_ones = sum(each["verdict"] != "pass" for each in lines)
    shown = min(open_ones + _PASSED, MOST)
    if lines:
        alike = len({(each["limit"], each["direction"]) for each in lines}) == 1
        yield forest(
            address,
            [line(_label(address, each), each) for each in lines[:shown]],
            shared=alike and shown > 1,
        )
    if rest := lines[shown:]:
        yield Folded(f"{len(rest)} more gates of {address}", (_table(rest),))
    if counts:
        passed = all(each["verdict"] == "pass" for each in counts)
        table = _table(counts, address)
        many = f"{len(counts)} gate{'s' * (len(counts) != 1)} without an interval"
        yield Folded(f"{address}: {many}, all passed", (table,)) if passed else table


def _label(address: str, measure: Mapping[str, Any]) -> str:
    """Its name; of a smoke run also why it passes beside its limit."""
    smoke = address.partition(".")[2].startswith("unit_tests") and room(measure) < 0
    passed = smoke and measure["verdict"] == "pass"
    return f"{measure['name']} (smoke run)" if passed else str(measure["name"])


def _reported(measures: Sequence[Measured]) -> Folded:
    rows = tuple(
        (Code(address), *_cells(measure)[:3], *_cells(measure)[4:5])
        for address, measure in measures
    )
    heads = ("task", "measure", "value", "low … high", "n")
    many = f"{len(measures)} measure{'s' * (len(measures) != 1)} that decided nothing"
    return Folded(many, (Table(heads=heads, rows=rows, numbers=frozenset({2, 3, 4})),))


def _table(measures: Sequence[Mapping[str, Any]], caption: str = "") -> Table:
    rows = tuple((*_cells(each), Badge(str(each["verdict"]))) for each in measures)
    return Table(heads=_HEADS, rows=rows, numbers=_NUMBERS, caption=caption)


def _cells(measure: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        Code(measure["name"]),
        number(measure["value"], measure["limit"]),
        interval(measure),
        limit(measure),
        number(measure["n"]),
    )


def _measures(of: Sequence[Measured], address: str) -> list[Mapping[str, Any]]:
    return [measure for owner, measure in of if owner == address]

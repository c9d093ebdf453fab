"""How fast does it answer and what does it take, beside production and against its limits?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.report._number import number
from seatrial.report.charts.forest import forest
from seatrial.report.deciding import interval, limit
from seatrial.report.section import Badge, Section, Table
from seatrial.report.sections._lines import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

_SPEED = ("latency_", "throughput.", "memory_mb", "size_mb")
_PRODUCTION = ".production"
_TIMES = "latency_ms."
_BATCHES = " rows"
_RATIOS = "latency_ratio."


def is_speed(name: str) -> bool:
    """Whether a measure is of time, throughput, memory or size: this section tells it.

    >>> is_speed("latency_ms.p95"), is_speed("accuracy")
    (True, False)
    """
    return name.startswith(_SPEED)


def section(sources: Sources) -> Section | None:
    """What each test that timed the model measured."""
    parts: list[Part] = []
    for address, task in sources.account.tasks:
        measures = {each["name"]: each for each in task["measures"] if is_speed(each["name"])}
        parts += told(address, measures)
    return Section(anchor="latency", title="Latency", parts=tuple(parts)) if parts else None


def told(address: str, measures: Mapping[str, Mapping[str, Any]]) -> Iterator[Part]:
    """The measures of one task, by their names: times drawn, then everything as numbers."""
    known = {name: each for name, each in measures.items() if each["value"] is not None}
    times = [
        line(called.removeprefix(_TIMES), measure)
        for name in known
        if name.startswith(_TIMES) and not name.endswith((_BATCHES, _PRODUCTION))
        for called, measure in _both(name, known)
    ]
    if times:
        yield forest(f"time to answer one row, ms ({address})", times, shared=True)
    ratios = [line(name, each) for name, each in known.items() if name.startswith(_RATIOS)]
    if ratios:
        yield forest(f"time as a multiple of production's ({address})", ratios)
    if measures:
        yield _table(address, measures)


def _both(
    name: str, known: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The candidate's, and production's below it."""
    yield name, known[name]
    if theirs := known.get(name + _PRODUCTION):
        yield f"{name} in production", theirs


def _table(address: str, measures: Mapping[str, Mapping[str, Any]]) -> Table:
    """A row for each quantity: the candidate's, and production's beside it."""
    own = [each for name, each in measures.items() if not name.endswith(_PRODUCTION)]
    rows = tuple(_row(each, measures.get(each["name"] + _PRODUCTION)) for each in own)
    return Table(
        heads=("measure", "candidate", "low … high", "production", "limit", "n", "verdict"),
        rows=rows,
        numbers=frozenset({1, 2, 3, 4, 5}),
        caption=address,
    )


def _row(own: Mapping[str, Any], theirs: Mapping[str, Any] | None) -> tuple[Cell, ...]:
    verdict = str(own["verdict"])
    return (
        own["name"],
        number(own["value"], own["limit"]),
        interval(own),
        number(theirs["value"]) if theirs else "-",
        limit(own),
        number(own["n"]),
        "reported" if own["limit"] is None and verdict == "skip" else Badge(verdict),
    )

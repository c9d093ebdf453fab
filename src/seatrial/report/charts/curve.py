"""Curves in the unit square: what a classifier tells apart, and whether it means what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.report._number import number
from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite
from seatrial.report.section import Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

_LEFT, _RIGHT, _SIZE = 44, 312, 260
_WIDTH = 320
_MOST_POINTS, _MOST_LINES = 120, 6
_BANDS = 30
"""Bounds of so many points are drawn as whiskers; of more, as a band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points ``(x, y)`` from 0 to 1; ``low`` and ``high`` are bounds of each point's ``y``.

    ``rows`` are how many rows stand behind each point.
    """

    name: str
    points: Sequence[tuple[float, float]]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None
    rows: Sequence[float | None] | None = None


def curves(title: str, x: str, y: str, lines: Sequence[Line], *, diagonal: bool = False) -> Chart:
    """Lines over 0 to 1; ``x`` and ``y`` say what the axes are.

    ``diagonal`` draws where ``x`` equals ``y``: guessing (ROC), or true shares (calibration).
    """
    drawn = [_usable(each) for each in lines[:_MOST_LINES]]
    top = 18 + 16 * len(drawn)
    across, up = Scale(0, 1, _LEFT, _RIGHT), Scale(0, 1, top + _SIZE, top)
    content = [
        *_grid(across, up, x, y),
        *([svg.line("diagonal", across(0), up(0), across(1), up(1))] if diagonal else []),
        *(each for i, line in enumerate(drawn) for each in _bounds(i, line, across, up)),
        *(each for i, line in enumerate(drawn) for each in _line(i, line, across, up)),
        *_legend(drawn),
    ]
    said = _said(x, y, drawn, diagonal=diagonal)
    height = top + _SIZE + 38
    counted = any(finite(line.rows or ()) for line in drawn)
    heads = ("line", x, y, "low", "high", *(["rows"] * counted))
    return Chart(
        title=title,
        said=said,
        svg=svg.picture("chart curves", title, said, content, width=_WIDTH, height=height),
        table=Table(
            heads=heads,
            rows=tuple(row[: len(heads)] for line in drawn for row in _rows(line)),
            numbers=frozenset(range(1, len(heads))),
        ),
    )


def _usable(line: Line) -> Line:
    """The points that are numbers, at most so many, with a bound or none for each."""
    kept = [i for i, point in enumerate(line.points) if len(finite(point)) == len(point)]
    kept = [kept[i] for i in svg.thinned(len(kept), _MOST_POINTS)]

    def bounds(of: Sequence[float | None] | None) -> list[float | None]:
        known = [*(of or ()), *[None] * len(line.points)]
        return [known[i] if finite([known[i]]) else None for i in kept]

    return Line(
        name=line.name,
        points=[line.points[i] for i in kept],
        low=bounds(line.low),
        high=bounds(line.high),
        rows=bounds(line.rows),
    )


def _grid(across: Scale, up: Scale, x: str, y: str) -> Iterator[Markup]:
    for each in (0.0, 0.5, 1.0):
        yield svg.line("grid", across(each), up(0), across(each), up(1))
        yield svg.line("grid", across(0), up(each), across(1), up(each))
        anchor = "end" if each == 1 else "middle"
        yield svg.text(number(each), across(each), up(0) + 15, anchor=anchor)
        yield svg.text(number(each), across(0) - 5, up(each) + 4, anchor="end")
    yield svg.text(x, (across(0) + across(1)) / 2, up(0) + 31, anchor="middle", kind="axis")
    middle = (up(0) + up(1)) / 2
    turned: dict[str, str | float] = {
        "transform": f"translate(12 {svg.number(middle)}) rotate(-90)",
        "text-anchor": "middle",
        "class": "axis",
    }
    yield svg.element("text", turned, svg.said(y))


def _bounds(i: int, line: Line, across: Scale, up: Scale) -> Iterator[Markup]:
    """The bounds of each point: whiskers, or a band where there are many."""
    known = [
        (across(x), up(low), up(high))
        for (x, _), low, high in zip(line.points, line.low or (), line.high or (), strict=True)
        if low is not None and high is not None
    ]
    if len(known) > _BANDS:
        outline = [*((x, low) for x, low, _ in known), *((x, high) for x, _, high in known[::-1])]
        yield svg.path(f"band s{i}", svg.polyline(outline) + "Z")
    elif known:
        whiskers = "".join(
            f"M{svg.number(x)} {svg.number(low)}V{svg.number(high)}" for x, low, high in known
        )
        yield svg.path(f"whisker s{i}", whiskers)


def _line(i: int, line: Line, across: Scale, up: Scale) -> Iterator[Markup]:
    places = [(across(x), up(y)) for x, y in line.points]
    if not places:
        return
    yield svg.path(f"line s{i}", svg.polyline(places))
    if len(places) <= _BANDS:
        yield svg.path(f"points s{i}", svg.polyline(e for p in places for e in (p, None)))


def _legend(lines: Sequence[Line]) -> Iterator[Markup]:
    for i, line in enumerate(lines):
        y = 14 + 16 * i
        yield svg.path(f"line s{i}", f"M{_LEFT} {y - 4}h24")
        yield svg.text(line.name, _LEFT + 30, y, most=38)


def _rows(line: Line) -> Iterator[tuple[str, ...]]:
    beside = (line.low or (), line.high or (), line.rows or ())
    for (x, y), *more in zip(line.points, *beside, strict=True):
        yield (line.name, *map(number, (x, y, *more)))


def _said(x: str, y: str, lines: Sequence[Line], *, diagonal: bool) -> str:
    names = ", ".join(svg.isolated(line.name) for line in lines) or "nothing"
    return f"{y} over {x} of {names}{', with the diagonal' * diagonal}."

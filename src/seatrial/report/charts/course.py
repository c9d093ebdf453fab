"""How something went over time, against its limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from markupsafe import escape

from seatrial.report._number import as_given, number, told_apart
from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite, over, ticks
from seatrial.report.section import Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markupsafe import Markup

_PLOT = 170
"""The height of what is drawn, in pixels."""
_MOST_TIMES, _MOST_LINES, _MOST_LIMITS = 200, 6, 6
_LETTERS = 12
"""The height of a line of text, in pixels."""
_FINE = (("minutes", 600.0), ("seconds", 2.0), ("milliseconds", 0.0))
"""How finely times are written, and from how many seconds on that is enough for their ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A value at each of the times, ``None`` where there is none; and its bounds."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A line at the times that are shown; before those in ``broken`` something was missing."""

    name: str
    values: list[float | None]
    low: list[float | None]
    high: list[float | None]
    broken: frozenset[int]

    @property
    def bounded(self) -> bool:
        return bool(finite([*self.low, *self.high]))


def course(
    title: str,
    y: str,
    times: Sequence[str],
    lines: Sequence[Line],
    limits: Sequence[tuple[str, float]] = (),
    *,
    span_s: float | None = None,
) -> Chart:
    """Lines over ``times`` (ISO), with ``limits`` as named lines across.

    ``y`` says what the numbers are, with their unit. With ``span_s`` a number is what was counted
    so far, and each time ends a span of so many seconds: a number stays as it is until the span of
    the next one begins. Times are written in UTC. Of more than 200 times, 200 are shown; a line is
    not drawn over a value that is missing between two of them.
    """
    shown = svg.thinned(len(times), _MOST_TIMES)
    drawn = [_at(line, shown) for line in lines[:_MOST_LINES]]
    bars = [(name, value) for name, value in limits if finite([value])][:_MOST_LIMITS]
    every = [each for line in drawn for each in (*line.values, *line.low, *line.high)]
    up = Scale(*over([*every, *(value for _, value in bars)], room=0.06), svg.STRETCH, 0)
    seen = [times[i] for i in shown]
    known = _known(seen)
    across = _across(seen, known)
    said = _said(y, drawn, bars)
    took_s = _took_s(known)
    span = svg.STRETCH * span_s / took_s if span_s is not None and took_s else math.inf
    plot = _plot(drawn, bars, across, up, span=span, ends=_ends(seen, known))
    content = [*_legend(y, drawn), plot]
    height = 40 + _PLOT + 22
    return Chart(
        title=title,
        said=said,
        svg=svg.picture("chart course", title, said, content, width=None, height=height),
        table=_table(_told_apart(seen, known), drawn, bars, len(times) - len(shown)),
    )


def _at(line: Line, shown: Sequence[int]) -> _Drawn:
    """A line at those times; what is no number, or is not there, is a gap."""

    def at(of: Sequence[float | None] | None) -> list[float | None]:
        found = [of[i] if of is not None and i < len(of) else None for i in shown]
        return [each if finite([each]) else None for each in found]

    broken = frozenset(
        place
        for place in range(1, len(shown))
        if any(not finite([each]) for each in line.values[shown[place - 1] + 1 : shown[place]])
    )
    return _Drawn(line.name, at(line.values), at(line.low), at(line.high), broken)


def _known(times: Sequence[str]) -> list[datetime]:
    """The times in UTC; none of texts of which one is no time."""
    try:
        return [_utc(datetime.fromisoformat(each)) for each in times]
    except (ValueError, OverflowError):
        return []


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _across(times: Sequence[str], known: Sequence[datetime]) -> list[float]:
    """The place of each time; of texts that are none, evenly."""
    seconds = [each.timestamp() for each in known] or [float(i) for i in range(len(times))]
    ends = (min(seconds), max(seconds)) if seconds else (0.0, 1.0)
    scale = Scale(*(ends if ends[0] < ends[1] else (ends[0] - 1, ends[0] + 1)), 0, svg.STRETCH)
    return [scale(each) for each in seconds]


def _legend(y: str, lines: Sequence[_Drawn]) -> Iterator[Markup]:
    """What is measured, and which line is which, side by side."""
    yield svg.text(y, 0, 12, most=60, kind="axis")
    for i, line in enumerate(lines):
        x = svg.percent(i / len(lines))
        yield svg.element(
            "svg",
            {"x": x, "y": 16, "width": svg.percent(1 / len(lines)), "height": 16},
            svg.path(f"line s{i}", "M1 8h22"),
            svg.text(line.name, 30, 12),
        )


def _plot(
    lines: Sequence[_Drawn],
    bars: Sequence[tuple[str, float]],
    across: Sequence[float],
    up: Scale,
    *,
    span: float,
    ends: Iterable[Markup],
) -> Markup:
    marks, limits = [*_grid(up)], [*_bars(bars, up)]
    drawn = (each for i, line in enumerate(lines) for each in _line(i, line, across, up, span))
    return svg.element(
        "svg",
        {"y": 40, "width": "100%", "height": _PLOT, "overflow": "visible"},
        *(line for line, _ in (*marks, *limits)),
        svg.stretched(drawn),
        *(text for _, text in (*marks, *limits)),
        *ends,
    )


def _grid(up: Scale) -> Iterator[tuple[Markup, Markup]]:
    """A line across and its number, which stands on it so that the picture needs no margin."""
    marks = ticks(up.low, up.high, 4)
    for value, said in zip(marks, told_apart(marks), strict=True):
        y = up(value) / svg.STRETCH * _PLOT
        yield svg.line("grid", "0%", y, "100%", y), svg.text(said, 0, y - 4)


def _line(
    i: int, line: _Drawn, across: Sequence[float], up: Scale, span: float
) -> Iterator[Markup]:
    if line.bounded:
        both = zip(line.low, line.high, strict=True)
        bounds = [None if a is None or b is None else (up(a), up(b)) for a, b in both]
        yield svg.path(f"band s{i}", "".join(map(_band, _stretches(line, across, bounds, span))))
    values = [None if value is None else (up(value),) for value in line.values]
    drawn = "".join(
        svg.polyline((x, y) for x, (y,) in stretch)
        for stretch in _stretches(line, across, values, span)
    )
    if drawn:
        yield svg.path(f"line s{i}", drawn)


def _band(stretch: Sequence[tuple[float, tuple[float, ...]]]) -> str:
    """The area between the bounds of a stretch."""
    below = ((x, low) for x, (low, _) in stretch)
    above = ((x, high) for x, (_, high) in reversed(stretch))
    return svg.polyline([*below, *above]) + "Z"


def _stretches(
    line: _Drawn,
    across: Sequence[float],
    heights: Sequence[tuple[float, ...] | None],
    span: float,
) -> Iterator[list[tuple[float, tuple[float, ...]]]]:
    """Places with their heights, as long as none is missing, each held until the next span."""
    there: list[tuple[float, tuple[float, ...]]] = []
    for place, (x, height) in enumerate(zip(across, heights, strict=True)):
        if there and (height is None or place in line.broken):
            yield there
            there = []
        if height is not None:
            if there and x - span > there[-1][0]:
                there.append((x - span, there[-1][1]))
            there.append((x, height))
    if there:
        yield there


def _bars(bars: Sequence[tuple[str, float]], up: Scale) -> Iterator[tuple[Markup, Markup]]:
    """From the top: a limit's name stands on it, or below it where the one above is too near."""
    before = -float(_PLOT)
    for name, value in sorted(bars, key=lambda bar: -bar[1]):
        y = up(value) / svg.STRETCH * _PLOT
        written = y - 4 if y - 4 - before >= _LETTERS else max(y, before) + _LETTERS
        before = written
        label = f"{svg.isolated(svg.short(name, 30))} {as_given(value)}"
        text = svg.element(
            "text",
            {"class": "name", "x": "100%", "y": written, "text-anchor": "end"},
            escape(label),
        )
        yield svg.line("limit", "0%", y, "100%", y), text


def _took_s(known: Sequence[datetime]) -> float:
    return (max(known) - min(known)).total_seconds() if known else 0.0


def _ends(times: Sequence[str], known: Sequence[datetime]) -> Iterator[Markup]:
    """The earliest and the latest time, so finely that one sees how long it took."""
    if not times:
        return
    took_s = _took_s(known)
    fine = next(fine for fine, least_s in _FINE if took_s >= least_s or len(known) == 1)
    said = [_written(each, fine) for each in (min(known), max(known))] if known else [*times]
    yield svg.text(said[0], "0%", _PLOT + 16)
    if len(times) > 1:
        yield svg.text(said[-1], "100%", _PLOT + 16, anchor="end")


def _told_apart(times: Sequence[str], known: Sequence[datetime]) -> list[str]:
    """The times as text, as finely as tells them apart; what is no time as it is."""
    apart = len(set(known))
    for fine, _ in _FINE:
        said = [_written(each, fine) for each in known]
        if len(set(said)) == apart:
            break
    return said or [*times]


def _written(time: datetime, fine: str) -> str:
    return time.replace(tzinfo=None).isoformat(" ", fine)


def _table(
    times: Sequence[str],
    lines: Sequence[_Drawn],
    bars: Sequence[tuple[str, float]],
    left_out: int,
) -> Table:
    heads, columns = ["time (UTC)"], [[*times]]
    for line in lines:
        heads.append(line.name)
        columns.append([number(each) for each in line.values])
        if line.bounded:
            heads += [f"{line.name}, low", f"{line.name}, high"]
            columns += [[number(each) for each in of] for of in (line.low, line.high)]
    for name, value in bars:
        heads.append(name)
        columns.append([as_given(value)] * len(times))
    return Table(
        heads=tuple(heads),
        rows=tuple(zip(*columns, strict=True)),
        numbers=frozenset(range(1, len(heads))),
        left_out=left_out,
    )


def _said(y: str, lines: Sequence[_Drawn], bars: Sequence[tuple[str, float]]) -> str:
    """Where each line ended, and the limits."""
    ends = [
        f"{svg.isolated(line.name)} ended at {number(known[-1])}"
        for line in lines
        if (known := finite(line.values))
    ]
    limits = [f"{svg.isolated(name)} is {as_given(value)}" for name, value in bars]
    return f"{y} over time: {'; '.join([*ends, *limits]) or 'nothing yet'}."

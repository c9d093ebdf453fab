"""How something went over time, against its limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from markupsafe import escape

from seatrial.report._number import as_given, number, told_apart
from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite, over, ticks
from seatrial.report.section import Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

_PLOT = 170
"""The height of what is drawn, in pixels."""
_MOST_TIMES, _MOST_LINES, _MOST_LIMITS = 120, 6, 6
_LETTERS = 12
"""The height of a line of text, in pixels."""
_MINUTE = 16
"""The characters of ``2026-11-26T13:40``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A value at each of the times, ``None`` where there is none; and its bounds."""

    name: str
    values: Sequence[float | None]
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A line at the times that are shown."""

    name: str
    values: list[float | None]
    low: list[float | None]
    high: list[float | None]

    @property
    def bounded(self) -> bool:
        return bool(finite([*self.low, *self.high]))


def course(
    title: str,
    y: str,
    times: Sequence[str],
    lines: Sequence[Line],
    limits: Sequence[tuple[str, float]] = (),
) -> Chart:
    """Lines over ``times`` (ISO, UTC), with ``limits`` as named lines across.

    ``y`` says what the numbers are, with their unit. Of more than 120 times, 120 are shown.
    """
    shown = svg.thinned(len(times), _MOST_TIMES)
    drawn = [_at(line, shown) for line in lines[:_MOST_LINES]]
    bars = [(name, value) for name, value in limits if finite([value])][:_MOST_LIMITS]
    every = [each for line in drawn for each in (*line.values, *line.low, *line.high)]
    up = Scale(*over([*every, *(value for _, value in bars)], room=0.06), svg.STRETCH, 0)
    across = _across([times[i] for i in shown])
    said = _said(y, drawn, bars)
    content = [*_legend(y, drawn), _plot(drawn, bars, across, up, [times[i] for i in shown])]
    height = 40 + _PLOT + 22
    return Chart(
        title=title,
        said=said,
        svg=svg.picture("chart course", title, said, content, width=None, height=height),
        table=_table([times[i] for i in shown], drawn, bars, len(times) - len(shown)),
    )


def _at(line: Line, shown: Sequence[int]) -> _Drawn:
    """A line at those times; what is no number, or is not there, is a gap."""

    def at(of: Sequence[float | None] | None) -> list[float | None]:
        found = [of[i] if of is not None and i < len(of) else None for i in shown]
        return [each if finite([each]) else None for each in found]

    return _Drawn(line.name, at(line.values), at(line.low), at(line.high))


def _across(times: Sequence[str]) -> list[float]:
    """The place of each time; of texts that are none, evenly."""
    try:
        seconds = [_seconds(each) for each in times]
    except ValueError:
        seconds = [float(i) for i in range(len(times))]
    ends = (min(seconds), max(seconds)) if seconds else (0.0, 1.0)
    scale = Scale(*(ends if ends[0] < ends[1] else (ends[0] - 1, ends[0] + 1)), 0, svg.STRETCH)
    return [scale(each) for each in seconds]


def _seconds(time: str) -> float:
    read = datetime.fromisoformat(time)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


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
    times: Sequence[str],
) -> Markup:
    marks, limits = [*_grid(up)], [*_bars(bars, up)]
    return svg.element(
        "svg",
        {"y": 40, "width": "100%", "height": _PLOT, "overflow": "visible"},
        *(line for line, _ in (*marks, *limits)),
        svg.stretched(each for i, line in enumerate(lines) for each in _line(i, line, across, up)),
        *(text for _, text in (*marks, *limits)),
        *_ends(times),
    )


def _grid(up: Scale) -> Iterator[tuple[Markup, Markup]]:
    """A line across and its number, which stands on it so that the picture needs no margin."""
    marks = ticks(up.low, up.high, 4)
    for value, said in zip(marks, told_apart(marks), strict=True):
        y = up(value) / svg.STRETCH * _PLOT
        yield svg.line("grid", "0%", y, "100%", y), svg.text(said, 0, y - 4)


def _line(i: int, line: _Drawn, across: Sequence[float], up: Scale) -> Iterator[Markup]:
    if line.bounded:
        yield svg.path(f"band s{i}", "".join(_bands(line, across, up)))
    points = [
        None if value is None else (x, up(value))
        for x, value in zip(across, line.values, strict=True)
    ]
    if drawn := svg.polyline(points):
        yield svg.path(f"line s{i}", drawn)


def _bands(line: _Drawn, across: Sequence[float], up: Scale) -> Iterator[str]:
    """An area between the bounds for each stretch of time that has both."""
    there: list[tuple[float, float, float]] = []
    for x, low, high in [*zip(across, line.low, line.high, strict=True), (0.0, None, None)]:
        if low is not None and high is not None:
            there.append((x, up(low), up(high)))
            continue
        if there:
            outline = [*((x, y) for x, y, _ in there), *((x, y) for x, _, y in there[::-1])]
            yield svg.polyline(outline) + "Z"
        there = []


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


def _ends(times: Sequence[str]) -> Iterator[Markup]:
    """The first and the last time."""
    if times:
        yield svg.text(_minute(times[0]), "0%", _PLOT + 16)
    if len(times) > 1:
        yield svg.text(_minute(times[-1]), "100%", _PLOT + 16, anchor="end")


def _minute(time: str) -> str:
    return time[:_MINUTE].replace("T", " ")


def _table(
    times: Sequence[str],
    lines: Sequence[_Drawn],
    bars: Sequence[tuple[str, float]],
    left_out: int,
) -> Table:
    heads, columns = ["time (UTC)"], [[_minute(time) for time in times]]
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

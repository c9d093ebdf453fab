"""Gates as lines: each value with its interval, held against its limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from seatrial.report._number import as_given, number, told_apart
from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite, over, ticks
from seatrial.report.section import Badge, Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROW, _AXIS = 47, 22
"""The height of a line, and of the numbers below all of them, in pixels."""
_MOST = 100
"""So many lines are drawn; of more, the rest is counted."""
_LABEL = 90
_EDGE = 0.04
"""So near to an end, in shares of the width, a number is written inside."""
_HEADS = ("gate", "value", "low", "high", "limit", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with its bounds and the limit it is held against; any of them may be missing.

    ``at_least`` says on which side of the limit it must lie; ``verdict`` is the word for it. A
    limit that is only a ``mark``, such as no difference at all, has no side of harm.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    at_least: bool = True
    verdict: str = ""
    mark: bool = False

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """All that is drawn of it."""
        return (self.value, self.low, self.high, self.limit)


def forest(title: str, rows: Sequence[Interval], *, shared: bool = False) -> Chart:
    """A line for each interval.

    With ``shared`` all lie on one scale, which is written below them: their units must agree. Else
    each line has a scale of its own, which is said there: only places within a line are compared.
    """
    drawn = rows[:_MOST]
    every = [each for row in drawn for each in row.numbers]
    common = Scale(*over(every, room=0.05)) if shared and finite(every) else None
    height = _ROW * len(drawn) + _AXIS
    content = [Markup().join(_lines(drawn, common)), _axis(common, len(drawn))]
    return Chart(
        title=title,
        said=_said(rows),
        svg=svg.picture("chart forest", title, _said(rows), content, width=None, height=height),
        table=Table(
            heads=_HEADS,
            rows=tuple(
                (
                    row.label,
                    *(number(each, row.limit) for each in (row.value, row.low, row.high)),
                    _limit(row),
                    Badge(row.verdict) if row.verdict else "",
                )
                for row in drawn
            ),
            numbers=frozenset({1, 2, 3, 4}),
            left_out=len(rows) - len(drawn),
        ),
    )


def _lines(rows: Sequence[Interval], common: Scale | None) -> Iterator[Markup]:
    for place, row in enumerate(rows):
        scale = common or Scale(*over(row.numbers, room=0.12))
        size: dict[str, str | float] = {"y": place * _ROW, "height": _ROW}
        yield svg.element(
            "svg",
            {**size, "width": "64%"},
            svg.text(row.label, 0, 14, most=_LABEL, kind="label"),
            *_interval(row, scale),
        )
        yield svg.element(
            "svg",
            {"x": "67%", **size, "width": "33%"},
            svg.mark(row.verdict, 0, 4),
            svg.text(row.verdict, 18, 14, most=14, kind=f"word {_known(row.verdict)}"),
            svg.text(_compared(row), 0, 33, most=32),
        )


def _interval(row: Interval, scale: Scale) -> Iterator[Markup]:
    """The side of harm, the limit, the interval and the value, one upon the other."""

    def at(value: float) -> str:
        return svg.percent(0.01 + 0.98 * scale(value))

    middle = 29
    yield svg.line("track", "0%", middle, "100%", middle)
    limits = finite([row.limit])
    if limits and not row.mark:
        place = 0.01 + 0.98 * scale(limits[0])
        x, width = (0.0, place) if row.at_least else (place, 1 - place)
        harm: dict[str, str | float] = {"x": svg.percent(x), "width": svg.percent(width)}
        yield svg.element("rect", {"class": "harm", "y": middle - 7, "height": 14, **harm})
    verdict = _known(row.verdict)
    if ends := _ends(row):
        yield svg.line(f"interval {verdict}", at(ends[0]), middle, at(ends[1]), middle)
    if limits:
        yield svg.line("limit", at(limits[0]), middle - 8, at(limits[0]), middle + 8)
    if values := finite([row.value]):
        dot: dict[str, str | float] = {"class": f"dot {verdict}", "cx": at(values[0])}
        yield svg.element("circle", {**dot, "cy": middle, "r": 4.5})


def _ends(row: Interval) -> tuple[float, float] | None:
    """Where its interval begins and ends; on a side without a bound, at the value."""
    known = [each for each in (row.low, row.value, row.high) if each is not None]
    known = [each for each in known if not math.isnan(each)]
    bounded = row.low is not None or row.high is not None
    return (min(known), max(known)) if bounded and len(known) > 1 else None


def _axis(scale: Scale | None, rows: int) -> Markup:
    """The numbers below lines on one scale; or that they are not on one."""
    if scale is None:
        alone = "nothing to show" if not rows else "each line has its own scale" * (rows > 1)
        return svg.text(alone, 0, rows * _ROW + 12) if alone else Markup()
    marks = ticks(scale.low, scale.high)
    texts = []
    for value, said in zip(marks, told_apart(marks), strict=True):
        place = 0.01 + 0.98 * scale(value)
        anchor = "start" if place < _EDGE else "end" if place > 1 - _EDGE else "middle"
        texts.append(svg.text(said, svg.percent(place), 12, anchor=anchor))
    size: dict[str, str | float] = {"y": rows * _ROW, "width": "64%", "height": _AXIS}
    return svg.element("svg", size, *texts)


def _known(verdict: str) -> str:
    return verdict if verdict in svg.MARKS else "none"


def _compared(row: Interval) -> str:
    """``0.8312, limit ≥ 0.82``, short: the table has the limit as it was written."""
    value = number(row.value, row.limit)
    if row.limit is None or row.mark:
        return value
    return f"{value}, limit {'≥' if row.at_least else '≤'} {number(row.limit, row.value)}"


def _limit(row: Interval) -> str:
    if row.limit is None:
        return "-"
    if row.mark:
        return as_given(row.limit)
    return f"{'≥' if row.at_least else '≤'} {as_given(row.limit)}"


def _said(rows: Sequence[Interval]) -> str:
    """How many of them stand how: ``3 lines: 2 pass, 1 fail``."""
    words = [row.verdict or "no verdict" for row in rows]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    many = f"{len(rows)} line{'s' * (len(rows) != 1)}"
    return f"{many} of values with their intervals and limits{': ' * bool(rows)}{counted}."

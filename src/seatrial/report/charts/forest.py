"""Gates as lines: each value with its interval, held against its limit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from seatrial.report._number import as_given, number, told_apart
from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite, near, over, ticks
from seatrial.report.section import Badge, Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROW, _AXIS = 54, 22
"""The height of a line, and of the numbers below all of them, in pixels."""
_MIDDLE, _WORD, _BELOW = 31, 30, 46
"""In a line, from its top: where the picture lies, and where words beside and below it stand."""
_MOST = 100
"""So many lines are drawn; of more, the rest is counted."""
_LABEL = 90
_LEFT, _RIGHT, _WORDS = "60%", "63%", "37%"
"""How wide the lines are; where the words beside them begin, and how wide these are."""
_ROOM = 0.05
_EDGE = 0.06
"""So near to an end, in shares of the width, a number is written inside."""
_OPEN = "no bound"

_HEADS = ("gate", "value", "low", "high", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with its bounds and the limit it is held against; any of them may be missing.

    ``n`` is how much was counted for it. ``at_least`` says on which side of the limit it must lie;
    ``verdict`` is the word for it. A limit that is only a ``mark``, such as no difference at all,
    has no side of harm.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    at_least: bool = True
    verdict: str = ""
    mark: bool = False
    n: int | None = None

    @property
    def values(self) -> tuple[float | None, ...]:
        """What was measured of it."""
        return (self.value, self.low, self.high)


def forest(title: str, rows: Sequence[Interval], *, shared: bool = False) -> Chart:
    """A line for each interval.

    With ``shared`` all lie on one scale, which is written below them: their units must agree. Else
    each line has a scale of its own, which is said there: only places within a line are compared.
    A number so far off that all the rest would be a dot is an arrow at the edge, with the number.
    """
    drawn = rows[:_MOST]
    common = _scale(drawn) if shared and _any(drawn) else None
    scales = [common or _scale([row]) for row in drawn]
    beyond = [_beyond(row, scale) for row, scale in zip(drawn, scales, strict=True)]
    said = _said(rows, sum(map(bool, beyond)))
    counted = any(row.n is not None for row in drawn)
    height = _ROW * len(drawn) + _AXIS
    content = [*map(_line, range(len(drawn)), drawn, scales, beyond), _axis(common, len(drawn))]
    return Chart(
        title=title,
        said=said,
        svg=svg.picture("chart forest", title, said, content, width=None, height=height),
        table=Table(
            heads=(*_HEADS, *(["n"] * counted), "verdict"),
            rows=tuple(
                (
                    row.label,
                    *(number(each, row.limit) for each in (row.value, row.low, row.high)),
                    _limit(row),
                    *([number(row.n)] * counted),
                    Badge(row.verdict) if row.verdict else "",
                )
                for row in drawn
            ),
            numbers=frozenset(range(1, len(_HEADS) + counted)),
            left_out=len(rows) - len(drawn),
        ),
    )


def _scale(rows: Sequence[Interval]) -> Scale:
    """Where they lie, with some room for what is drawn at the ends.

    How far a single line is from its limit is what it tells; several are also told apart.
    """
    values = finite(each for row in rows for each in row.values)
    limits = list(dict.fromkeys(finite(row.limit for row in rows)))
    alone = len(rows) == 1
    ends = near(values, limits, all_limits=alone) if values or limits else ()
    return Scale(*over(ends, room=2 * _ROOM if alone else _ROOM))


def _any(rows: Sequence[Interval]) -> bool:
    return bool(finite(each for row in rows for each in (*row.values, row.limit)))


def _beyond(row: Interval, scale: Scale) -> list[tuple[bool, str]]:
    """What of it lies off the scale: whether above it, and the number where it stands nowhere."""
    ends = _ends(row) or (row.value, row.value)
    found = []
    if (low := ends[0]) is not None and low < scale.low:
        found.append((False, f"← {number(low) if math.isfinite(low) else _OPEN}"))
    if (high := ends[1]) is not None and high > scale.high:
        found.append((True, f"{number(high) if math.isfinite(high) else _OPEN} →"))
    if (limit := row.limit) is not None and not scale.low <= limit <= scale.high:
        found.append((limit > scale.high, ""))
    return found


def _line(place: int, row: Interval, scale: Scale, beyond: Sequence[tuple[bool, str]]) -> Markup:
    """One line: its name over the picture, and beside it its verdict, value and limit."""
    top = place * _ROW
    size: dict[str, str | float] = {"y": top, "height": _ROW}
    far = ", ".join(said for _, said in beyond if said)
    name = svg.text(row.label, 0, top + 13, most=_LABEL, kind="label")
    picture = svg.element(
        "svg",
        {**size, "width": _LEFT},
        *_interval(row, scale),
        *(svg.arrow(_MIDDLE, right=above) for above in dict.fromkeys(above for above, _ in beyond)),
        *([svg.text(far, "100%", _BELOW + 1, anchor="end")] if far else []),
    )
    words = svg.element(
        "svg",
        {"x": _RIGHT, **size, "width": _WORDS},
        svg.mark(row.verdict, 0, _WORD - 10),
        svg.text(row.verdict, 18, _WORD, most=14, kind=f"word {_known(row.verdict)}"),
        svg.text(_compared(row), 0, _BELOW if row.verdict else _MIDDLE + 4, most=32),
    )
    return name + picture + words


def _interval(row: Interval, scale: Scale) -> Iterator[Markup]:
    """The side of harm, the limit, the interval and the value, one upon the other."""

    def at(value: float) -> str:
        return svg.percent(0.01 + 0.98 * scale(value))

    middle = _MIDDLE
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
    if limits and scale.low <= limits[0] <= scale.high:
        yield svg.line("limit", at(limits[0]), middle - 8, at(limits[0]), middle + 8)
    values = finite([row.value])
    if values and scale.low <= values[0] <= scale.high:
        dot: dict[str, str | float] = {"class": f"dot {verdict}", "cx": at(values[0])}
        yield svg.element("circle", {**dot, "cy": middle, "r": 4.5})


def _ends(row: Interval) -> tuple[float, float] | None:
    """Where its interval begins and ends; without a bound on the side that decides, nowhere.

    On the other side it ends at the value: there no bound was asked for.
    """
    if row.low is None and row.high is None:
        return None
    judged = row.limit is not None and not row.mark
    low = -math.inf if row.low is None and (row.at_least or not judged) else row.low
    high = math.inf if row.high is None and not (row.at_least and judged) else row.high
    known = [each for each in (low, row.value, high) if each is not None]
    known = [each for each in known if not math.isnan(each)]
    return (min(known), max(known)) if len(known) > 1 else None


def _axis(scale: Scale | None, rows: int) -> Markup:
    """The numbers below lines on one scale; or that they are not on one."""
    if scale is None:
        alone = "nothing to show" if not rows else "each line has its own scale" * (rows > 1)
        return svg.text(alone, 0, rows * _ROW + 12) if alone else Markup()
    marks = ticks(scale.low, scale.high, 4)
    texts = []
    for value, said in zip(marks, told_apart(marks), strict=True):
        place = 0.01 + 0.98 * scale(value)
        anchor = "start" if place < _EDGE else "end" if place > 1 - _EDGE else "middle"
        texts.append(svg.text(said, svg.percent(place), 12, anchor=anchor))
    size: dict[str, str | float] = {"y": rows * _ROW, "width": _LEFT, "height": _AXIS}
    return svg.element("svg", size, *texts)


def _known(verdict: str) -> str:
    return verdict if verdict in svg.MARKS else "none"


def _compared(row: Interval) -> str:
    """``0.8312, limit ≥ 0.82``."""
    value = number(row.value, row.limit)
    return value if row.limit is None or row.mark else f"{value}, limit {_limit(row)}"


def _limit(row: Interval) -> str:
    if row.limit is None:
        return "-"
    given = as_given(row.limit, *row.values)
    return given if row.mark else f"{'≥' if row.at_least else '≤'} {given}"


def _said(rows: Sequence[Interval], cut: int) -> str:
    """How many of them stand how: ``3 lines: 2 pass, 1 fail``."""
    words = [row.verdict or "no verdict" for row in rows]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    many = f"{len(rows)} line{'s' * (len(rows) != 1)}"
    far = (
        f" {cut} of them reach{'es' * (cut == 1)} beyond the scale, as far as written."
        if cut
        else ""
    )
    return f"{many} of values with their intervals and limits{': ' * bool(rows)}{counted}.{far}"

"""Two distributions over the same bins: how it was, and how it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.report._number import number
from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import finite, ticks
from seatrial.report.section import Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

_WIDTH, _HEIGHT = 320, 156
_LEFT, _TOP, _RIGHT, _BOTTOM = 44, 24, 316, 136
"""Where the bins stand."""
_MOST = 60
"""So many bins are drawn; neighbours beyond that are joined."""


def histogram(
    title: str,
    names: Sequence[str],
    reference: Sequence[float],
    current: Sequence[float],
    edges: Sequence[float] | None = None,
    *,
    series: tuple[str, str] = ("reference", "current"),
) -> Chart:
    """The shares of two rows of counts (or of shares) in the same bins.

    ``names`` are one a bin. ``edges`` lie between the bins (one fewer than bins), or at their ends
    too (one more): then they are written below. Every bin is drawn equally wide, so that bins of
    equal count, whose outer ones have no end, show what moved as it was measured. An empty
    ``reference`` is none: the bins of ``current`` stand alone.
    """
    alone = not len(reference)
    bins = _joined(names, _shares(reference), _shares(current), edges)
    names, before, now, places = bins
    tops = ticks(0.0, max([*before, *now, 1e-3]), 3)
    top = max([*before, *now, tops[-1], 1e-3])
    content = [
        *_grid(tops, top),
        svg.path("area current", _steps(now, top, closed=True)),
        *([] if alone else [svg.path("outline reference", _steps(before, top, closed=False))]),
        *_below(names, places),
        *_legend(series, alone=alone),
    ]
    seen = _alone(names, now, series[1]) if alone else _seen(names, before, now, series)
    return Chart(
        title=title,
        said=seen,
        svg=svg.picture("chart bins", title, seen, content, width=_WIDTH, height=_HEIGHT),
        table=Table(
            heads=("bin", *series[alone:]),
            rows=tuple(
                (name, *map(_percent, (was, has)[alone:]))
                for name, was, has in zip(names, before, now, strict=True)
            ),
            numbers=frozenset({1} if alone else {1, 2}),
        ),
    )


def _shares(counts: Sequence[float]) -> list[float]:
    """Each as a share of all; what is no number counts as nothing."""
    usable = [each if math.isfinite(each) and each > 0 else 0.0 for each in map(float, counts)]
    greatest = max(usable, default=0.0)
    if not greatest:
        return usable
    scaled = [each / greatest for each in usable]
    whole = math.fsum(scaled)
    return [each / whole for each in scaled]


def _joined(
    names: Sequence[str],
    before: Sequence[float],
    now: Sequence[float],
    edges: Sequence[float] | None,
) -> tuple[list[str], list[float], list[float], list[tuple[float, float]]]:
    """At most ``_MOST`` bins, and the edges between them as (place from 0 to 1, edge)."""
    count = max(len(names), len(before), len(now))
    names = [*names, *(f"bin {i + 1}" for i in range(len(names), count))]
    before, now = ([*shares, *[0.0] * (count - len(shares))] for shares in (before, now))
    each = max(math.ceil(count / _MOST), 1)
    starts = range(0, count, each)
    places: list[tuple[float, float]] = []
    if edges is not None and count and len(edges) in {count - 1, count + 1}:
        first = 1 if len(edges) == count - 1 else 0
        for place, edge in enumerate(edges, start=first):
            if place % each == 0 or place == count:
                share = 1.0 if place == count else place / (len(starts) * each)
                places.append((share, float(edge)))
    return (
        [_span(names[i : i + each]) for i in starts],
        [math.fsum(before[i : i + each]) for i in starts],
        [math.fsum(now[i : i + each]) for i in starts],
        places,
    )


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


def _steps(shares: Sequence[float], top: float, *, closed: bool) -> str:
    """The outline of the bins, from the ground back to it."""
    if not shares:
        return "M0 0"
    wide = (_RIGHT - _LEFT) / len(shares)
    drawn, before = f"M{_LEFT} {_BOTTOM}", -1.0
    for i, share in enumerate(shares):
        if share != before:
            drawn += f"V{svg.number(_BOTTOM - (share / top) * (_BOTTOM - _TOP))}"
        drawn += f"H{svg.number(_LEFT + (i + 1) * wide)}"
        before = share
    return f"{drawn}V{_BOTTOM}{'Z' if closed else ''}"


def _grid(tops: Sequence[float], top: float) -> Iterator[Markup]:
    for each in tops:
        y = _BOTTOM - (each / top) * (_BOTTOM - _TOP)
        yield svg.line("grid", _LEFT, y, _RIGHT, y)
        yield svg.text(f"{number(100 * each)} %", _LEFT - 4, y + 4, anchor="end")


def _below(names: Sequence[str], places: Sequence[tuple[float, float]]) -> Iterator[Markup]:
    """A few edges where they lie; or, of bins without edges, the names of the outer ones."""
    # a bin for one number has edges that are written alike: they are said once
    told = {number(edge): (share, edge) for share, edge in reversed(places) if finite([edge])}
    known = [*reversed(told.values())]
    if known:
        for i in dict.fromkeys(svg.thinned(len(known), 4)):
            share, edge = known[i]
            x = _LEFT + share * (_RIGHT - _LEFT)
            anchor = "start" if share < 0.02 else "end" if share > 0.98 else "middle"  # noqa: PLR2004
            yield svg.text(number(edge), x, _BOTTOM + 15, anchor=anchor)
    elif names:
        few = len(names) <= 4  # noqa: PLR2004 - what four names leave room for
        wide = (_RIGHT - _LEFT) / len(names)
        for i, name in enumerate(names) if few else ((0, names[0]), (len(names) - 1, names[-1])):
            middle = _LEFT + (i + 0.5) * wide
            anchor = "middle" if few else "end" if i else "start"
            x = middle if few else (_RIGHT if i else _LEFT)
            yield svg.text(name, x, _BOTTOM + 15, most=48 // min(len(names), 4), anchor=anchor)


def _legend(series: tuple[str, str], *, alone: bool) -> Iterator[Markup]:
    """Which outline is which."""
    both = ((_LEFT, "outline reference", series[0]), (160, "area current", series[1]))
    for x, kind, name in both[alone:]:
        box = f"M{x} 12V4h14v8" + ("Z" if kind.startswith("area") else "")
        yield svg.path(kind, box)
        yield svg.text(name, x + 19, 12, most=18)


def _seen(
    names: Sequence[str], before: Sequence[float], now: Sequence[float], series: tuple[str, str]
) -> str:
    """Where it moved most, in a sentence."""
    if not names:
        return "No bins."
    many = _many(names)
    if none := [
        name for name, shares in zip(series, (before, now), strict=True) if not any(shares)
    ]:
        return f"{many}; no rows of {' and '.join(none)}."
    most = max(range(len(names)), key=lambda i: abs(now[i] - before[i]))
    if before[most] == now[most]:
        return f"{many}; {series[0]} and {series[1]} have the same shares."
    name = svg.isolated(svg.short(names[most], 60))
    return (
        f"{many}; most moved {name}:"
        f" {_percent(before[most])} {series[0]}, {_percent(now[most])} {series[1]}."
    )


def _alone(names: Sequence[str], shares: Sequence[float], series: str) -> str:
    """Where most of it lies."""
    if not names:
        return "No bins."
    if not any(shares):
        return f"{_many(names)}; no rows of {series}."
    most = max(range(len(names)), key=lambda i: shares[i])
    name = svg.isolated(svg.short(names[most], 60))
    return f"{_many(names)}; most of {series} lies in {name}: {_percent(shares[most])}."


def _many(names: Sequence[str]) -> str:
    return f"{len(names)} bin{'s' * (len(names) != 1)}"


def _percent(share: float) -> str:
    """To a tenth; what is there is never told as nothing."""
    said = f"{100 * share:.1f}"
    return f"{number(100 * share)} %" if share and said == "0.0" else f"{said} %"

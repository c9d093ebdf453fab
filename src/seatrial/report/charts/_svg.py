"""Elements of SVG: attributes and texts are escaped here, and only here.

Fluid pictures have no ``viewBox``: their places are in percent of the width, so that they fill any
width while their texts keep their size. What a path draws in them lies in an ``<svg>`` of its own
that is stretched (:func:`stretched`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STRETCH = 1000
"""The width and height of what is stretched, in its own units."""
MARKS = {
    "pass": "M1 6.5 4.5 10 11 2.5",
    "fail": "M2 2 10 10M10 2 2 10",
    "inconclusive": "M6 1 11.5 11H.5ZM6 4.5V7.500M6 9.2v.1",
    "skip": "M2 6H10",
}
"""A verdict by its shape, in a box of 12 by 12."""


def element(name: str, attributes: dict[str, str | float], *content: Markup) -> Markup:
    """One element.

    >>> print(element("text", {"x": 1.25, "class": 'a"b'}, said("<i>")))
    <text x="1.2" class="a&#34;b">&lt;i&gt;</text>
    """
    written = "".join(f' {key}="{_value(value)}"' for key, value in attributes.items())
    inner = "".join(content)
    return Markup(f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>")  # noqa: S704


def picture(
    kind: str,
    title: str,
    desc: str,
    content: Iterable[Markup],
    *,
    width: float | None,
    height: float,
) -> str:
    """A whole picture. Without a ``width`` it is fluid, and ``height`` is in pixels."""
    size: dict[str, str | float] = (
        {"width": "100%", "height": height}
        if width is None
        else {"viewBox": f"0 0 {number(width)} {number(height)}"}
    )
    told = [element("title", {}, said(title if title.strip() else "picture", 200))]
    if desc:
        told.append(element("desc", {}, said(desc, 400)))
    return str(element("svg", {"role": "img", "class": kind, **size}, *told, *content))


def text(
    words: str, x: str | float, y: float, *, most: int = 40, anchor: str = "", kind: str = ""
) -> Markup:
    """A text of at most ``most`` characters that ends, or has its middle, at ``x`` if told so."""
    attributes: dict[str, str | float] = {"x": x, "y": y}
    if anchor:
        attributes["text-anchor"] = anchor
    if kind:
        attributes["class"] = kind
    return element("text", attributes, said(words, most))


def line(kind: str, x1: str | float, y1: float, x2: str | float, y2: float) -> Markup:
    """A straight line."""
    return element("line", {"class": kind, "x1": x1, "y1": y1, "x2": x2, "y2": y2})


def path(kind: str, drawn: str) -> Markup:
    """A path; its stroke keeps its width where it is stretched."""
    return element("path", {"class": kind, "d": drawn})


def mark(verdict: str, x: str | float, y: float) -> Markup:
    """The shape of a verdict, 12 by 12 from that corner; of another word, none."""
    if verdict not in MARKS:
        return Markup()
    place: dict[str, str | float] = {"x": x, "y": y, "width": 12, "height": 12}
    return element("svg", place, path(f"mark {verdict}", MARKS[verdict]))


def arrow(y: float, *, right: bool) -> Markup:
    """At an edge of a fluid picture, in the middle of a line: it goes on there."""
    size: dict[str, str | float] = {
        "y": y - 6,
        "width": "100%",
        "height": 12,
        "viewBox": "0 0 12 12",
        "preserveAspectRatio": f"x{'Max' if right else 'Min'}YMid meet",
    }
    return element("svg", size, path("cut", "M5 1 11 6 5 11" if right else "M7 1 1 6 7 11"))


def stretched(content: Iterable[Markup]) -> Markup:
    """What is drawn in a square of ``STRETCH`` units, stretched over all of where it stands."""
    size: dict[str, str | float] = {
        "width": "100%",
        "height": "100%",
        "viewBox": f"0 0 {STRETCH} {STRETCH}",
        "preserveAspectRatio": "none",
    }
    return element("svg", size, *content)


def polyline(points: Iterable[tuple[float, float] | None]) -> str:
    """The path through points; ``None`` is a gap, and a point between two gaps is a dot.

    >>> polyline([(0, 1), (2.04, 3), None, (5, 5)])
    'M0 1L2 3M5 5h0'
    """
    drawn, run = "", 0
    for point in [*points, None]:
        if point is None:
            drawn += "h0" if run == 1 else ""
            run = 0
            continue
        drawn += f"{'L' if run else 'M'}{number(point[0])} {number(point[1])}"
        run += 1
    return drawn


def number(value: float) -> str:
    """A place, to a tenth of a unit.

    >>> number(-0.04), number(12.345), number(7)
    ('0', '12.3', '7')
    """
    written = f"{value:.1f}".removesuffix(".0")
    return "0" if written == "-0" else written


def percent(share: float) -> str:
    """A place in a fluid picture: a share of its width.

    >>> percent(0.12345)
    '12.3%'
    """
    return f"{number(100 * share)}%"


def said(words: str, most: int = 40) -> Markup:
    r"""A text on one line, shortened and escaped; what cannot be shown is written as in Python.

    >>> print(said("a<b\n" + "c" * 99, 8))
    a&lt;b\ncc…
    """
    return escape(short(words, most))


def short(words: str, most: int) -> str:
    """At most that many characters of a text, on one line."""
    shown = printable(" ".join(words.split(" ")))
    return shown if len(shown) <= most else f"{shown[: max(most - 1, 1)]}…"


def isolated(words: str) -> str:
    """A name within a sentence, so that one that is written from right to left moves nothing."""
    shown = printable(words)
    return (
        shown if shown.isascii() else f"\N{FIRST STRONG ISOLATE}{shown}\N{POP DIRECTIONAL ISOLATE}"
    )


def thinned(count: int, most: int) -> Sequence[int]:
    """At most ``most`` of the places ``0 … count - 1``, evenly, the first and the last among them.

    >>> list(thinned(5, 9)), list(thinned(101, 3))
    ([0, 1, 2, 3, 4], [0, 50, 100])
    """
    if count <= most:
        return range(count)
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _value(value: str | float) -> str:
    return str(escape(value)) if isinstance(value, str) else number(value)

"""What the macros ask of a part, a cell or a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from seatrial.environment.printable import printable
from seatrial.report.html.tones import tone
from seatrial.report.section import (
    Badge,
    Chart,
    Code,
    Facts,
    Folded,
    Link,
    Note,
    Spark,
    Stages,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.report.section import Cell, Part

_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")


def kind(part: Part | Cell) -> str:
    """The macro that draws it.

    >>> kind(Note("gone")), kind("a text")
    ('note', 'text')
    """
    match part:
        case Table() | Chart() | Note() | Facts() | Folded() | Stages():
            return type(part).__name__.lower()
        case Badge() | Link() | Code() | Spark():
            return type(part).__name__.lower()
        case str():
            return "text"


def shown(text: str) -> str:
    r"""A text of others as it can be shown; its lines stay lines.

    >>> print(shown("a\x00b\nc"))
    a\x00b
    c
    """
    return "\n".join(map(printable, text.splitlines()))


def drawing(chart: Chart | Spark) -> Markup:
    """Its picture, which ``charts/`` has escaped."""
    return Markup(chart.svg)  # noqa: S704 - made by charts/ alone (section.py)


def fluid(chart: Chart) -> bool:
    """Whether its picture fills any width."""
    return "viewBox" not in chart.svg.partition(">")[0]


def numeric(table: Table) -> str:
    """The classes that set its columns of numbers to the right.

    >>> numeric(Table(heads=("bin", "share"), rows=(), numbers=frozenset({1})))
    'numbers'
    >>> numeric(Table(heads=("a", "b", "c"), rows=(), numbers=frozenset({0, 1})))
    'n0 n1'
    """
    if table.numbers == set(range(1, len(table.heads))):
        return "numbers"
    return " ".join(f"n{column}" for column in sorted(table.numbers))


def runs(parts: Sequence[Part]) -> list[list[Part]]:
    """Charts that follow one another together, every other part by itself."""
    grouped: list[list[Part]] = []
    for part in parts:
        if isinstance(part, Chart) and grouped and isinstance(grouped[-1][0], Chart):
            grouped[-1].append(part)
        else:
            grouped.append([part])
    return grouped


def leads(place: str, paths: bool) -> bool:  # noqa: FBT001 - jinja passes by place
    r"""Whether a text is a link: to an anchor, or to a path of the web page where ``paths`` are.

    Any other address, one of another server or of a script among them, is none.

    >>> leads("#gates", False), leads("/runs/1", True), leads("/runs/1", False)
    (True, True, False)
    >>> leads("//evil", True), leads("javascript:x", True), leads("/\\evil", True)
    (False, False, False)
    """
    return place.startswith("#") or (paths and _PATH.fullmatch(place) is not None)


FILTERS = {
    "kind": kind,
    "shown": shown,
    "tone": tone,
    "drawing": drawing,
    "fluid": fluid,
    "numeric": numeric,
    "runs": runs,
    "leads": leads,
}
"""By the names that they have in templates."""

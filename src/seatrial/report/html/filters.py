"""What the macros ask of a part, a cell or a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

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

THIN = "\N{NARROW NO-BREAK SPACE}"
"""Between thousands; numbers never break there."""

_WHOLE = re.compile(r"(?<![\w.])[1-9]\d{3,14}(?!\w)")
_LONG = re.compile(r"\S{16,}")
_PARTS = re.compile(r"[_./](?=\w)")
_MOMENT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?)\b", re.ASCII)
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


def numeric(table: Table) -> bool:
    """Whether all its columns but the first are numbers: then the table says so, and no cell.

    >>> numeric(Table(heads=("bin", "share"), rows=(), numbers=frozenset({1})))
    True
    """
    return table.numbers == set(range(1, len(table.heads)))


def grouped(text: str) -> str:
    """A cell of a column of numbers, thousands apart; in other columns a number may be a name.

    >>> grouped("12345.6 … 0.12345, of 1000").replace(THIN, "_")
    '12_345.6 … 0.12345, of 1_000'
    """
    return _WHOLE.sub(_apart, text)


def breaking(text: str) -> Markup:
    """A text whose long names may go on in the next line, between their parts; times may not.

    >>> print(breaking("<b> stage_of_many.task_of_many"))
    &lt;b&gt; stage_<wbr>of_<wbr>many.<wbr>task_<wbr>of_<wbr>many
    >>> print(breaking("2026-11-26 16:32"))
    <time>2026-11-26 16:32</time>
    """

    def parted(name: re.Match[str]) -> str:
        return _PARTS.sub(r"\g<0><wbr>", name[0])

    between, moments = (_MOMENT.split(str(escape(text)))[first::2] for first in (0, 1))
    written = [_LONG.sub(parted, each) for each in between]
    for place, moment in enumerate(moments, 1):
        written[place] = f"<time>{moment}</time>{written[place]}"
    return Markup("".join(written))  # noqa: S704 - escaped above


def _apart(digits: re.Match[str]) -> str:
    return f"{int(digits[0]):,}".replace(",", THIN)


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
    "grouped": grouped,
    "breaking": breaking,
    "runs": runs,
    "leads": leads,
}
"""By the names that they have in templates."""

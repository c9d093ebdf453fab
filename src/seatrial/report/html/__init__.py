"""Sections as HTML: one set of macros and one style for the report's file and for the web page.

``templates/parts.html`` holds a macro for each kind of part (``section.py``) and is imported by
name: ``{% import "parts.html" as parts %}``; ``style.css`` says at its top which classes there are.
Everything is escaped by default; nothing here or in the macros marks a text of others as safe.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from seatrial.environment.printable import printable
from seatrial.report.html.tones import tone
from seatrial.report.section import Badge, Chart, Code, Facts, Folded, Link, Note, Stages, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import BaseLoader

    from seatrial.report.section import Cell, Part


_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]*")


@cache
def environment() -> Environment:
    """The templates of reports."""
    return prepared(PackageLoader("seatrial.report.html"))


def prepared(loader: BaseLoader) -> Environment:
    """An environment in which the macros of ``parts.html`` work, over templates of one's own."""
    made = Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters.update(kind=kind, shown=shown, tone=tone, drawing=drawing, runs=runs, leads=leads)
    return made


@cache
def style() -> str:
    """The style sheet of reports and of the web page."""
    return files(__package__).joinpath("style.css").read_text(encoding="utf-8")


def kind(part: Part | Cell) -> str:
    """The macro that draws it.

    >>> kind(Note("gone")), kind("a text")
    ('note', 'text')
    """
    match part:
        case Table() | Chart() | Note() | Facts() | Folded() | Stages():
            return type(part).__name__.lower()
        case Badge() | Link() | Code():
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


def drawing(chart: Chart) -> Markup:
    """The picture of a chart, which ``charts/`` has escaped."""
    return Markup(chart.svg)  # noqa: S704 - made by charts/ alone (section.py)


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
    >>> leads("//evil", True), leads("javascript:x", True), leads("/\evil", True)
    (False, False, False)
    """
    return place.startswith("#") or (paths and _PATH.fullmatch(place) is not None)

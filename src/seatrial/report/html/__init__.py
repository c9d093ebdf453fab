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

from seatrial.report.html.filters import FILTERS

if TYPE_CHECKING:
    from jinja2 import BaseLoader

_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


@cache
def environment() -> Environment:
    """The templates of reports."""
    return prepared(PackageLoader("seatrial.report.html"))


def prepared(loader: BaseLoader) -> Environment:
    """An environment in which the macros of ``parts.html`` work, over templates of one's own.

    The loader must find ``parts.html`` too: ``PackageLoader("seatrial.report.html")`` does.
    """
    made = Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    return made


@cache
def style() -> str:
    """The style sheet of reports and of the web page, without its comments."""
    written = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    return _COMMENT.sub("", written)

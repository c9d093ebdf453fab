"""What a page is made of: sections of texts, tables and charts, as values that every form draws.

Texts are plain: whoever draws them quotes them. Only the pictures of a :class:`Chart` and of a
:class:`Spark` are markup, and ``charts/`` alone makes these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Badge:
    """How something stands, in a word: a verdict, a state, a channel."""

    said: str


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to ``to``: a path of the web page (``/runs/01J…``), or ``#anchor``.

    A form that stands alone, as a file does, shows the text, and leads to anchors only.
    """

    said: str
    to: str


@dataclass(frozen=True, slots=True)
class Code:
    """A name or a command, as it is typed."""

    said: str


@dataclass(frozen=True, slots=True)
class Spark:
    """How a number went, as a small line: ``svg`` is what ``charts/spark.py`` made of it.

    ``said`` tells it in words; the numbers stand beside it or where it leads to.
    """

    said: str
    svg: str


Cell: TypeAlias = "str | Badge | Link | Code | Spark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under ``heads``; columns in ``numbers`` (from 0) are set to the right.

    ``left_out`` counts the rows that are not shown.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: frozenset[int] = frozenset()
    caption: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture: ``svg`` is one whole ``<svg>`` element that shows what ``table`` says.

    ``said`` tells in a sentence what is to be seen, to who cannot see it.
    """

    title: str
    said: str
    svg: str
    table: Table


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence. ``gone`` says that what should stand here cannot be shown any more."""

    said: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what they are, one a line."""

    of: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A task of a stage; ``current`` says that the run stands there. ``said`` is its reason."""

    name: str
    badge: Badge
    said: str = ""
    to: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its tasks in order."""

    name: str
    badge: Badge
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stages:
    """How far something has come: its stages in order."""

    of: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """What is shown when its summary is clicked."""

    summary: str
    parts: tuple[Part, ...]


Part: TypeAlias = "Table | Chart | Note | Facts | Folded | Stages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading and what stands below it; ``anchor`` is its place in a page (``gates``)."""

    anchor: str
    title: str
    parts: tuple[Part, ...]
    badge: Badge | None = field(default=None)

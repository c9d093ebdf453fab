"""Many machines side by side, in the width of a terminal."""

from __future__ import annotations

import textwrap
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.environment.table import Row, Table

MARK = "! "
"""Stands before what is not as on the first machine."""

_FEW = 4
_NARROW = 20
_LEVEL = 5
_GAP = "  "


def lines(table: Table, width: int) -> Iterator[str]:
    r"""Columns where they fit; else under each field the machines by what they have.

    >>> from seatrial.environment.table import Row, Table
    >>> row = Row(field="libc", values=("glibc", "musl"), differs=(False, True), level="error")
    >>> two = Table(names=("build", "pi"), rows=(row,), equal=0)
    >>> print(*lines(two, 80), sep="\n")
    level  field    build    pi
    error  libc     glibc  ! musl
    >>> print(*lines(two, 20), sep="\n")
    error libc
        glibc: build
      ! musl: pi
    """
    grid = [*_grid(table)] if table.rows else []
    if max(map(len, grid), default=0) <= width:
        yield from grid
    else:
        yield from chain.from_iterable(_by_value(table.names, row, width) for row in table.rows)


def _grid(table: Table) -> Iterator[str]:
    heads = ["level", "field", *(" " * len(MARK) + name for name in table.names)]
    rows = [[row.level, row.field, *_cells(row)] for row in table.rows]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        yield _GAP.join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()


def _cells(row: Row) -> Iterator[str]:
    for value, differs in zip(row.values, row.differs, strict=True):
        yield (MARK if differs else " " * len(MARK)) + _shown(value)


def _by_value(names: Sequence[str], row: Row, width: int) -> Iterator[str]:
    """The field, then a paragraph for each value: that of the first machine comes first."""
    yield f"{row.level:<{_LEVEL}} {row.field}"
    having: dict[str, list[str]] = {}
    for name, cell in zip(names, _cells(row), strict=True):
        having.setdefault(cell, []).append(name)
    for cell, owners in having.items():
        told = ", ".join(owners)
        if not cell.startswith(MARK) and len(owners) > _FEW:  # these are as they should be
            told = f"{owners[0]} and {len(owners) - 1} more"
        yield from textwrap.wrap(
            f"{cell}: {told}",
            max(width, _NARROW),
            initial_indent="  ",
            subsequent_indent=" " * 8,
            break_on_hyphens=False,
        )


def _shown(value: object) -> str:
    return "-" if value is None else str(value)

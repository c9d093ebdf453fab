"""A confusion matrix: which class was answered for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report._number import number
from seatrial.report.charts import _svg as svg
from seatrial.report.section import Chart, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markupsafe import Markup

_MOST = 20
_WRITTEN = 8
"""Up to so many classes their counts are written into the picture."""
_WIDTH, _LEFT, _SIZE = 320, 76, 240
SHADES = ("0", ".08", ".18", ".28", ".38", ".48")
"""How dark a cell is: nothing, then fifths of its row; counts can be read on the darkest."""

_LETTERS = 12
"""The most characters of a class that is written upwards."""


def matrix(
    title: str,
    classes: Sequence[str],
    counts: Sequence[Sequence[int]],
    *,
    several: bool = False,
    right: int | None = None,
) -> Chart:
    """Counts with the true classes as rows and the answered ones as columns.

    A cell is as dark as its share of its row. Of more than 20 classes those with the most errors
    are shown, and the others as one. With ``several`` the last class stands for others already.
    Among these one is mistaken for another in the same cell, so ``right`` says how many rows were
    answered rightly, where that is known.
    """
    if len(classes) > _MOST and not several:
        right = sum(int(counts[i][i]) for i in range(len(classes)))
        several = True
    names, table = _worst(classes, counts)
    if not several:
        right = sum(table[i][i] for i in range(len(table)))
    turned = len(names) > 4  # noqa: PLR2004 - what fits side by side
    longest = min(max(map(len, names), default=0), _LETTERS)
    top = 30 + 6.5 * longest if turned else 40
    cell = _SIZE / max(len(names), 1)
    cells = _cells(table, cell, top, several=several)
    content = [*_heads(names, cell, top, turned=turned), *cells]
    said = _said(names, table, right)
    height = top + _SIZE + 4
    return Chart(
        title=title,
        said=said,
        svg=svg.picture("chart matrix", title, said, content, width=_WIDTH, height=height),
        table=Table(
            heads=("truth \\ answer", *names),
            rows=tuple(
                (name, *(str(count) for count in row))
                for name, row in zip(names, table, strict=True)
            ),
            numbers=frozenset(range(1, len(names) + 1)),
        ),
    )


def _worst(
    classes: Sequence[str], counts: Sequence[Sequence[int]]
) -> tuple[list[str], list[list[int]]]:
    """The classes in their order; of too many, those with the most errors and one of the others."""
    size = len(classes)
    whole = [[int(counts[i][j]) for j in range(size)] for i in range(size)]
    if size <= _MOST:
        return [*classes], whole
    columns = [sum(row[j] for row in whole) for j in range(size)]
    errors = [sum(whole[i]) + columns[i] - 2 * whole[i][i] for i in range(size)]
    kept = sorted(sorted(range(size), key=lambda i: -errors[i])[: _MOST - 1])
    rest = [i for i in range(size) if i not in set(kept)]
    groups = [*([i] for i in kept), rest]
    joined = [[sum(whole[i][j] for i in a for j in b) for b in groups] for a in groups]
    return [*(classes[i] for i in kept), f"{len(rest)} others"], joined


def _heads(names: Sequence[str], cell: float, top: float, *, turned: bool) -> Iterator[Markup]:
    yield svg.text("answer", _LEFT + _SIZE / 2, 12, anchor="middle", kind="axis")
    yield svg.text("truth", 2, top - 8, kind="axis")
    for i, name in enumerate(names):
        middle = (i + 0.5) * cell
        yield svg.text(name, _LEFT - 6, top + middle + 4, most=11, anchor="end")
        if turned:
            place = f"translate({svg.number(_LEFT + middle + 4)} {svg.number(top - 6)}) rotate(-90)"
            yield svg.element("text", {"transform": place}, svg.said(name, _LETTERS))
        else:
            most = max(int(cell / 7), 3)
            yield svg.text(name, _LEFT + middle, top - 8, most=most, anchor="middle")


def _cells(
    table: Sequence[Sequence[int]], cell: float, top: float, *, several: bool
) -> Iterator[Markup]:
    """Cells of one shade are one path; right answers, errors, and what may be either, apart."""
    drawn: dict[tuple[str, str], str] = {}
    most = len(SHADES) - 1
    for i, row in enumerate(table):
        whole = sum(row) or 1
        for j, count in enumerate(row):
            shade = min(-(-most * count // whole), most) if count > 0 else 0
            either = several and i == j == len(table) - 1
            kind = "either" if either else "kept" if i == j else "lost"
            looks = (f"cell {kind}", SHADES[shade])
            x, y, side = (svg.number(e) for e in (_LEFT + j * cell, top + i * cell, cell))
            drawn[looks] = drawn.get(looks, "") + f"M{x} {y}h{side}v{side}h-{side}z"
    for (kind, opacity), path in drawn.items():
        cells: dict[str, str | float] = {"class": kind, "fill-opacity": opacity, "d": path}
        yield svg.element("path", cells)
    if len(table) > _WRITTEN:
        return
    for i, row in enumerate(table):
        for j, count in enumerate(row):
            middle, low = _LEFT + (j + 0.5) * cell, top + (i + 0.5) * cell + 4
            yield svg.text(_brief(count), middle, low, anchor="middle", kind="count")


def _brief(count: int) -> str:
    """A count that fits into a cell: ``12 k``."""
    thousand, million = 10_000, 10_000_000
    if abs(count) < thousand:
        return str(count)
    if abs(count) < million:
        return f"{count // 1000}k"
    return number(float(f"{count:.1e}")) if count < 1e9 else f"{count:.0e}"  # noqa: PLR2004


def _said(names: Sequence[str], table: Sequence[Sequence[int]], right: int | None) -> str:
    """How many were right, as far as that is known, and the most frequent error."""
    every = sum(map(sum, table))
    if not every:
        return "No rows."
    if right is None:
        right = sum(table[i][i] for i in range(len(table) - 1))
        told = f"At least {right} of {every} rows were answered rightly"
    else:
        told = f"{right} of {every} rows were answered rightly"
    errors = [(table[i][j], i, j) for i in range(len(table)) for j in range(len(table)) if i != j]
    most, i, j = max(errors, default=(0, 0, 0))
    if not most:
        return f"{told}."
    truth, answer = (svg.isolated(svg.short(names[each], 40)) for each in (i, j))
    return f"{told}; most often {answer} was answered for {truth} ({most} rows)."

"""How texts, lists and stages are written into a file of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seatrial.engines._outline import StageOutline

WIDTH = 100
"""Columns of a line, as formatters have it."""


def literal(text: str | None) -> str:
    """``None``, or the text: in double quotes where that is simple."""
    written = repr(text)
    if text is None or '"' in written or "\\" in written:
        return written
    return f'"{written[1:-1]}"'


def listed(items: Iterable[str], *, before: str = "", indent: int = 0, brackets: str = "[]") -> str:
    """Written items as a list, on one line where it fits, else an item a line.

    ``before`` stands on the line where the list begins, which is indented by ``indent`` columns.
    """
    written = [*items]
    opening, closing = brackets[0], brackets[1]
    line = f"{opening}{', '.join(written)}{closing}"
    if indent + len(before) + len(line) < WIDTH and "\n" not in line:
        return line
    margin = " " * indent
    inner = [f"{margin}    {item}," for item in written]
    return "\n".join([opening, *inner, f"{margin}{closing}"])


def staged(stages: Sequence[StageOutline]) -> str:
    """A list of stages, each its name, its condition and the addresses of its tasks."""
    return "\n".join(["[", *(f"    {_stage(stage)}," for stage in stages), "]"])


def _stage(stage: StageOutline) -> str:
    head = [literal(stage.name), literal(stage.condition)]
    addresses = [*map(literal, stage.addresses)]
    line = f"({', '.join([*head, listed(addresses)])})"
    if len(line) < WIDTH - 4 and "\n" not in line:
        return line
    return listed([*head, listed(addresses, indent=8)], indent=4, brackets="()")

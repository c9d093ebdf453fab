"""Rows and lines of Markdown within a number of bytes; what was left out is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

_BETWEEN = 2
"""Bytes between two parts: an empty line."""


def table(
    heads: Sequence[str],
    of: Sequence[T],
    cells: Callable[[T], Sequence[str]],
    most: int,
    kind: str,
) -> str:
    """A table of at most that many bytes; below it, how many rows of that kind were left out."""
    head = [_row(heads), _row(["---"] * len(heads))]
    shown, left = _within((_row(cells(each)) for each in of), len(of), most - size(head))
    return "\n".join([*head, *shown, *([f"\n… and {left} more {kind}"] if left else [])])


def listed(of: Sequence[T], line: Callable[[T], str], most: int, kind: str) -> str:
    """A list of at most that many bytes; its last line tells how many were left out."""
    shown, left = _within((f"- {line(each)}" for each in of), len(of), most)
    return "\n".join([*shown, *([f"- … and {left} more {kind}"] if left else [])])


def folded(summary: str, content: str) -> str:
    """Content that is shown when its summary is clicked."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def size(parts: Iterable[str]) -> int:
    """The bytes of parts, with what stands between them."""
    return sum(len(part.encode()) + _BETWEEN for part in parts)


def _within(lines: Iterable[str], count: int, most: int) -> tuple[list[str], int]:
    """The first of ``count`` lines, as many as fit, and how many do not; those are not made."""
    shown: list[str] = []
    taken = 0
    for line in lines:
        taken += size([line])
        if taken > most:
            break
        shown.append(line)
    return shown, count - len(shown)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

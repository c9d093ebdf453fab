"""Sections cut to fewer parts: what a page has no room for is counted, never silently gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.report.section import (
    Badge,
    Chart,
    Code,
    Facts,
    Folded,
    Link,
    Note,
    Spark,
    Stage,
    Stages,
    Step,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.report.section import Cell, Part, Section


@dataclass(frozen=True, slots=True)
class Room:
    """The most ``rows`` of a table, ``charts`` of a section, and ``letters`` of a text."""

    rows: int
    charts: int
    letters: int


ROOMS = (
    Room(rows=1000, charts=60, letters=2000),
    Room(rows=300, charts=50, letters=500),
    Room(rows=100, charts=30, letters=300),
    Room(rows=40, charts=12, letters=160),
    Room(rows=10, charts=4, letters=80),
    Room(rows=3, charts=1, letters=40),
)
"""What is tried one after the other, until a page is small enough."""


def cut(section: Section, room: Room) -> Section:
    """The section within that room."""
    return replace(section, parts=cut_parts(section.parts, room))


def cut_parts(parts: Sequence[Part], room: Room) -> tuple[Part, ...]:
    """Charts beyond the room lose their picture, and keep their numbers, folded."""
    left = room.charts
    made: list[Part] = []
    for part in parts:
        if isinstance(part, Chart):
            left -= 1
            made.append(_chart(part, room) if left >= 0 else _numbers(part, room))
        else:
            made.append(_cut(part, room))
    return _merged(made, room)


def _merged(parts: Sequence[Part], room: Room) -> tuple[Part, ...]:
    """At most as many parts as a table may have rows; the others are counted."""
    if len(parts) <= room.rows:
        return tuple(parts)
    return (*parts[: room.rows], Note(f"… and {len(parts) - room.rows} more"))


def _cut(part: Part, room: Room) -> Part:
    match part:
        case Table():
            return _table(part, room)
        case Note():
            return replace(part, said=shortened(part.said, room))
        case Facts():
            return Facts(tuple(_facts(part, room)))
        case Folded():
            return Folded(shortened(part.summary, room), cut_parts(part.parts, room))
        case Stages():
            return _stages(part, room)
        case Chart():
            return _chart(part, room)


def _chart(chart: Chart, room: Room) -> Chart:
    return replace(
        chart,
        title=shortened(chart.title, room),
        said=shortened(chart.said, room),
        table=_table(chart.table, room),
    )


def _numbers(chart: Chart, room: Room) -> Folded:
    return Folded(shortened(chart.title, room), (_table(chart.table, room),))


def _table(table: Table, room: Room) -> Table:
    rows = tuple(tuple(_cell(each, room) for each in row) for row in table.rows[: room.rows])
    return replace(
        table,
        heads=tuple(shortened(each, room) for each in table.heads),
        rows=rows,
        caption=shortened(table.caption, room),
        left_out=table.left_out + len(table.rows) - len(rows),
    )


def _facts(facts: Facts, room: Room) -> Iterator[tuple[str, Cell]]:
    for name, what in facts.of[: room.rows]:
        yield shortened(name, room), _cell(what, room)
    if facts.of[room.rows :]:
        yield "…", f"and {len(facts.of) - room.rows} more"


def _stages(stages: Stages, room: Room) -> Stages:
    made = [_stage(stage, room) for stage in stages.of[: room.rows]]
    if left := len(stages.of) - len(made):
        made.append(Stage(f"… and {left} more stages", Badge("not shown"), ()))
    return Stages(tuple(made))


def _stage(stage: Stage, room: Room) -> Stage:
    steps = [
        replace(step, name=shortened(step.name, room), said=shortened(step.said, room))
        for step in stage.steps[: room.rows]
    ]
    if left := len(stage.steps) - len(steps):
        steps.append(Step(name=f"… and {left} more tasks", badge=Badge("not shown")))
    return Stage(shortened(stage.name, room), stage.badge, tuple(steps))


def _cell(cell: Cell, room: Room) -> Cell:
    match cell:
        case str():
            return shortened(cell, room)
        case Spark():
            return cell
        case Badge() | Code() | Link():
            return replace(cell, said=shortened(cell.said, room))


def shortened(said: str, room: Room) -> str:
    """A text within that room, and how much of it was left out.

    >>> shortened("a" * 45, ROOMS[-1])[38:]
    'aa… (5 more characters)'
    """
    left = len(said) - room.letters
    return said if left <= 0 else f"{said[: room.letters]}… ({left} more characters)"

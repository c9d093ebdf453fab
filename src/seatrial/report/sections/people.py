"""What waits for a person, and what have people decided?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report.headline import minute
from seatrial.report.section import Badge, Code, Facts, Link, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.report.asked import Asked
    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

_HEADS = ("decision", "about", "by", "when (UTC)", "reason")


def section(sources: Sources) -> Section | None:
    """Every open question with the commands that answer it; every decision with its reason."""
    asked = sources.account.asked
    parts: list[Part] = [Facts(tuple(_open(each))) for each in asked if each.status == "open"]
    decided = tuple(_decided(each) for each in asked if each.by is not None)
    if decided:
        parts.append(Table(heads=_HEADS, rows=decided))
    return Section(anchor="people", title="People", parts=tuple(parts)) if parts else None


def _open(asked: Asked) -> Iterator[tuple[str, Cell]]:
    yield "review", Link(asked.id, f"/reviews/{asked.id}")
    yield "about", Code(asked.subject)
    yield "question", asked.question
    yield "recommended", asked.recommended
    yield "what would settle it", asked.resolves
    yield "due", f"{minute(asked.due)} UTC, else: {asked.on_timeout}"
    yield "its evidence", Code(f"seatrial reviews {asked.id}")
    for choice in asked.options:
        yield f"to {choice}", Code(f"seatrial {choice} {asked.id} --reason '…'")


def _decided(asked: Asked) -> tuple[Cell, ...]:
    return (
        Badge(asked.status),
        Code(asked.subject),
        asked.by or "",
        minute(asked.decided),
        asked.reason or "",
    )

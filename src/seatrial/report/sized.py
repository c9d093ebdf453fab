"""A page as one file that is never longer than a person wants to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report.html.page import page
from seatrial.report.within import ROOMS, cut, cut_parts, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.report.section import Badge, Part, Section

MOST_BYTES = 300_000


def sized(
    *,
    title: str,
    sections: Sequence[Section],
    badge: Badge | None = None,
    lead: Sequence[str] = (),
    parts: Sequence[Part] = (),
    foot: str = "",
) -> str:
    """A page of at most 300 KB: rows and pictures are left out, and counted, until it is."""
    drawn = ""
    for room in ROOMS:
        drawn = page(
            title=title,
            badge=badge,
            lead=[shortened(each, room) for each in lead],
            parts=cut_parts(parts, room),
            sections=[cut(each, room) for each in sections],
            foot=foot,
        )
        if len(drawn.encode()) <= MOST_BYTES:
            break
    return drawn

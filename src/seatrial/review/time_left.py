"""How long people have, and how long they took, in words."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.review.items import Item

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def left(item: Item, now: datetime) -> str:
    """How long people have to answer."""
    return spell((datetime.fromisoformat(item.due) - now).total_seconds())


def spell(seconds: float) -> str:
    """A time in its two largest units.

    >>> spell(86_340), spell(75), spell(3.2), spell(200_000)
    ('23 h 59 min', '1 min 15 s', '3 s', '2 d 7 h')
    """
    whole = max(0, int(seconds))
    for (name, size), (smaller, part) in itertools.pairwise(_UNITS):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {name} {rest} {smaller}" if rest else f"{whole // size} {name}"
    return f"{whole} s"

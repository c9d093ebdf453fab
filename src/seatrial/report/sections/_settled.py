"""From when something that is counted can be drawn over time, so that its beginning hides no more.

The first few requests have bounds as wide as all that is possible; on one scale with them, what
came of it would be a flat line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARE = 0.05
FEWEST = 3

NOT_DRAWN = "What the first 5 % said is not drawn: its bounds are too wide."


def settled(counts: Sequence[float]) -> int:
    """The first place with 5 % of what was counted in the end; 0 where hardly any would remain.

    >>> settled([0, 2, 30, 70, 100]), settled([1, 50, 100]), settled([])
    (2, 0, 0)
    """
    enough = [place for place, count in enumerate(counts) if count >= SHARE * counts[-1]]
    return enough[0] if len(enough) >= FEWEST else 0

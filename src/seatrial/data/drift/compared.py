"""How far has one column moved, on all rows or in one slice, and is that too far?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.drift import unseen
from seatrial.data.drift.bins import changes
from seatrial.data.drift.interval import Estimate
from seatrial.data.drift.settling import rows_needed
from seatrial.outcome import Direction, Measure, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.data.drift.bins import Change
    from seatrial.data.drift.divergence import Counted, Divergence
    from seatrial.data.drift.pairs import Pair
    from seatrial.data.drift.settling import Settling

_OF_UNSEEN = 0.1
"""This part of the error goes to the bound of what the reference never had."""

_DOUBT = 0.25
"""What is too far with less doubt than this is not passed over."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A column with its measure.

    ``changes`` are the bins that moved most, none when it passed; ``settling`` is what an
    inconclusive one lacks, None where there are no rows at all.
    """

    pair: Pair
    measure: Measure
    changes: tuple[Change, ...] = ()
    settling: Settling | None = None

    @property
    def name(self) -> str:
        """The column, and the slice."""
        return self.pair.name

    @property
    def reach(self) -> float:
        """How far it moved, in limits."""
        return (self.measure.value or 0.0) / (self.measure.limit or 1.0)


def compared(pair: Pair, divergence: Divergence, limit: float, alpha: float) -> Compared:
    """Measure one column; the lower bound is wrong with probability ``alpha``, the upper 0.05.

    What the reference never had counts by itself where that alone is too far. Without a row now
    or in the reference nothing is measured, and the verdict is inconclusive.
    """
    name = f"{divergence.word}.{pair.name}"
    if not all(pair.rows):
        unknown = Measure(
            name=name,
            value=None,
            limit=limit,
            direction=Direction.AT_MOST,
            verdict=Verdict.INCONCLUSIVE,
        )
        return Compared(pair, unknown)
    found, settling = _measured(divergence, pair.counted, limit, alpha)
    measure = Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        limit=limit,
        direction=Direction.AT_MOST,
        n=pair.rows[0],
        verdict=judge(found.low, found.high, limit, Direction.AT_MOST),
    )
    if measure.verdict is Verdict.PASS:
        return Compared(pair, measure)
    unsettled = measure.verdict is Verdict.INCONCLUSIVE
    moved = changes(pair.reference, pair.current)
    return Compared(pair, measure, moved, settling() if unsettled else None)


def _measured(
    divergence: Divergence, counted: Counted, limit: float, alpha: float
) -> tuple[Estimate, Callable[[], Settling]]:
    """How far the column moved, and what would settle it.

    By all its bins, or by what the reference never had alone, whichever is farther; but what may
    be too far by the luck of a row or two is passed over. Either lower bound may decide, so they
    share ``alpha``: little is enough for the one that hardly depends on it.
    """
    new = None if divergence.numbers_only else unseen.unseen(counted)
    if new is None:
        found = divergence.estimate(counted, limit, alpha)
        return found, lambda: rows_needed(divergence, counted, limit, alpha)
    folded, main, rest = unseen.folded(counted), alpha * (1 - _OF_UNSEEN), alpha * _OF_UNSEEN
    found = divergence.estimate(folded, limit, main)
    alone = unseen.estimate(divergence, new, limit, rest)
    likely = unseen.is_more_than_luck(divergence, new, limit, _DOUBT)
    if likely or alone.high <= limit:
        value, low, high = max(found.value, alone.value), max(found.low, alone.low), alone.high
        found = Estimate(value, low, max(found.high, high))
    if likely and alone.value == found.value:
        return found, lambda: unseen.settling(divergence, new, limit, rest)
    return found, lambda: rows_needed(divergence, folded, limit, main)

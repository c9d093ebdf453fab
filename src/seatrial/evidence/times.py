"""How long answers took: a histogram that can be added up, and honest bounds of its quantiles."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.evidence.rates import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping

PER_OCTAVE = 8
"""Bins between a time and its double: each is 9 % wide."""


@dataclass(frozen=True, slots=True)
class Times:
    """How many answers took how long; bin b holds ``2**(b/8)`` to ``2**((b+1)/8)`` microseconds.

    Bin 0 also holds whatever was faster.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, took_us: float) -> Times:
        """One answer.

        >>> Times.of(256).counts
        {64: 1}
        """
        return cls({math.floor(PER_OCTAVE * math.log2(max(took_us, 1.0))): 1})

    def __add__(self, other: Times) -> Times:
        if not other.counts:
            return self
        counts = dict(self.counts)
        for place, count in other.counts.items():
            counts[place] = counts.get(place, 0) + count
        return Times(counts)

    @property
    def n(self) -> int:
        """Answers."""
        return sum(self.counts.values())

    def quantile(self, share: float) -> float:
        """The time in microseconds that this share of the answers did not exceed; needs one.

        >>> both = Times.of(100) + Times.of(100) + Times.of(9000)
        >>> round(both.quantile(0.5)), round(both.quantile(0.95))
        (103, 9329)
        """
        return 2 ** ((self._bin(max(math.ceil(share * self.n), 1)) + 0.5) / PER_OCTAVE)

    def bounds(self, share: float) -> tuple[float, float]:
        """(low, high) of that quantile, one-sided 95 % each, in microseconds.

        Of n sorted answers the one at rank r lies below the quantile unless at least n - r + 1
        fell above it: a binomial event, whatever the times are distributed like (David and
        Nagaraja 2003, "Order Statistics", 7.1). Rounded outwards to the edges of the bins. With
        too few answers nothing is known: 0, or infinite.

        >>> few = Times({64: 58})
        >>> few.bounds(0.95)[1], round((few + Times({64: 1})).bounds(0.95)[1])
        (inf, 279)
        """
        n = self.n
        # the greatest rank that the quantile reaches, and the least that reaches the quantile
        below = bisect_left(range(n + 1), 1 - LEVEL, key=lambda r: _at_most(r - 1, n, share))
        if below > n or _at_most(below - 1, n, share) > 1 - LEVEL:
            below -= 1
        above = bisect_left(range(n + 1), LEVEL, key=lambda r: _at_most(r - 1, n, share))
        low = 2 ** (self._bin(below) / PER_OCTAVE) if below > 0 and self._bin(below) else 0.0
        return low, 2 ** ((self._bin(above) + 1) / PER_OCTAVE) if above <= n else math.inf

    def _bin(self, rank: int) -> int:
        """Where the answer of that rank lies, counted from 1."""
        seen = place = 0
        for place in sorted(self.counts):
            seen += self.counts[place]
            if seen >= rank:
                break
        return place


def _at_most(successes: int, trials: int, rate: float) -> float:
    """The probability of so many successes or fewer."""
    from scipy.special import betainc  # noqa: PLC0415 - half a second, only when judging

    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return float(betainc(trials - successes, successes + 1, 1 - rate))

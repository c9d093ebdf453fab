"""How many times as long as production does the candidate take, asked in turn on one machine?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.speed.blocks import cut

if TYPE_CHECKING:
    from numpy.typing import NDArray


LEVEL = 0.99
"""Confidence of each bound. More than elsewhere: two quantiles are judged, every night, and nobody
can ask the same machine again what it did."""

ALIKE = 0.05
"""The same file opened twice in one process is not equally fast: it depends on where it comes to
lie in memory (Mytkowicz et al. 2009, "Producing wrong data without doing anything obviously
wrong!", ASPLOS). Up to 4.7 % was measured; no difference below this share counts as one."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio with one-sided 99 % bounds, from ``n`` pairs; ``production`` in their unit.

    ``low`` is 0 and ``high`` infinite when so few blocks give no bound.
    """

    value: float
    low: float
    high: float
    production: float
    n: int


def ratio(
    candidate: NDArray[Any], production: NDArray[Any], share: float, of_block: NDArray[np.intp]
) -> Ratio:
    """The ratio of the two quantiles: the median over blocks of time; needs one pair.

    Each pair of requests was asked one right after the other, in an order that a coin decided.
    So, for two versions that are alike, exchanging the two times of any pair is as likely as not,
    whatever the machine did and however long it went on doing it: each block's ratio is then above
    1 as often as below, independently of the others. The bounds are those of the sign test, the
    order statistics of the blocks' ratios (David and Nagaraja 2003, "Order Statistics", 7.1;
    Fisher 1935, "The Design of Experiments", chapter 3, on why the coin carries the proof). A
    minority of disturbed blocks cannot move the median. They are widened by 5 % on either side,
    which no coin can even out.

    >>> of_block = np.repeat(np.arange(40), 10)
    >>> same = np.tile(np.arange(10.0) + 5, 40)
    >>> found = ratio(3 * same, same, 0.5, of_block)
    >>> found.value, round(found.low, 2), round(found.high, 2), found.production
    (3.0, 2.86, 3.15, 9.0)
    """
    mine, theirs = (
        np.array([_quantile(part, share) for part in cut(times, of_block)])
        for times in (candidate, production)
    )
    ratios = np.sort(mine / theirs)
    rank = sign_rank(len(ratios))
    return Ratio(
        value=float(np.median(ratios)),
        low=float(ratios[rank - 1]) / (1 + ALIKE) if rank else 0.0,
        high=float(ratios[-rank]) * (1 + ALIKE) if rank else math.inf,
        production=float(np.median(theirs)),
        n=len(of_block),
    )


def sign_rank(n: int) -> int:
    """Which of n sorted values (from either end, from 1) bounds their median; 0 when none does.

    >>> [sign_rank(n) for n in (4, 6, 8, 40)]
    [0, 0, 1, 13]
    """
    below, rank = 0.0, 0
    while rank < n and (below := below + math.comb(n, rank) / 2**n) <= 1 - LEVEL:
        rank += 1
    return rank


def _quantile(part: NDArray[np.float64], share: float) -> float:
    ordered = np.sort(part)
    return float(ordered[max(math.ceil(share * len(ordered)), 1) - 1])

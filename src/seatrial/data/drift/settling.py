"""How many more rows would settle a comparison, and what can so many rows see?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.drift.divergence import Counted
from seatrial.data.drift.interval import BEYOND
from seatrial.data.drift.merging import evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.data.drift.divergence import Divergence
    from seatrial.data.drift.interval import Estimate

MISSED = 0.1
"""What is planned succeeds but for this part of the checks."""

_FARTHEST = 12.0
"""A normal column that moved by so many deviations shares no row with what it was."""

_ENOUGH = 10**9
"""More rows than anybody will wait for."""


@dataclass(frozen=True, slots=True)
class Settling:
    """So many more ``rows``, 0 when it is settled; None, and why, when no number would do.

    ``larger``: more rows of the reference would.
    """

    rows: int | None
    reason: str = ""
    larger: bool = False


def together(count: int) -> float:
    """With which probability each of ``count`` lower bounds may be wrong, so that all hold at once.

    One column of many must not fail by chance, so 0.05 is divided among them (Bonferroni). That is
    valid whatever the columns have to do with each other, and columns of one table have much;
    Holm's steps would not change whether any of them fails. The upper bounds stay as they are: a
    check passes only when every column lies below its limit, and passes wrongly only if the column
    that does not has a wrong bound (the intersection-union test: Berger, 1982, Technometrics 24,
    295).

    >>> together(1), together(20)
    (0.05, 0.0025)
    """
    return BEYOND / max(1, count)


def rows_needed(
    divergence: Divergence, counted: Counted, threshold: float, alpha: float
) -> Settling:
    """About how many more current rows would settle it, if its value stays as it is.

    The distance of a bound from the value, of roots where the measure is ``squared``, shrinks like
    the root of ``1 / rows + 1 / reference rows``. More rows also have more bins, which may show
    more.

    >>> from seatrial.data.drift.divergence import MEASURES
    >>> counts = np.array([90.0, 110.0]), np.array([5000.0, 5000.0])
    >>> rows_needed(MEASURES["kl"], Counted(*counts), 0.01, 0.05).rows > 0
    True
    """
    found = divergence.estimate(counted, threshold, alpha)
    if found.low > threshold or found.high <= threshold:
        return Settling(0)
    now, before = counted.rows
    scale = math.sqrt if divergence.squared else float
    gap = abs(scale(found.value) - scale(threshold))
    bound = found.low if found.value > threshold else found.high
    width = abs(scale(bound) - scale(found.value))
    wanted = (gap / width) ** 2 * (1 / now + 1 / before)
    if wanted * _ENOUGH <= 1:
        return Settling(None, "its value lies on the limit, where no number of rows settles it")
    if wanted * before <= 1:
        few = f"{before:.0f} row{'s' * (before != 1)}"
        return Settling(None, f"the reference has too few rows for it ({few})", larger=True)
    return Settling(max(1, math.ceil(1 / (wanted - 1 / before) - now)))


def sees(
    divergence: Divergence,
    rows: int,
    reference_rows: int,
    bins: int,
    threshold: float,
    alpha: float,
) -> float | None:
    """About the smallest true divergence that would fail in 9 of 10 checks with so many rows.

    Of a normal column on ``bins`` bins that are equally full, whose mean moved; None when no move
    could fail.
    """

    def lowest(move: float) -> float:
        return _expected(divergence, rows, reference_rows, bins, move, threshold, alpha).low

    if not rows or not reference_rows or bins < 2 or lowest(_FARTHEST) <= threshold:  # noqa: PLR2004
        return None
    # What is found just as the check begins to fail is as far as unlucky rows may fall short.
    move = _first(lambda move: lowest(move) > threshold, 0.0, _FARTHEST)
    return _expected(divergence, rows, reference_rows, bins, move, threshold, alpha, MISSED).high


def rows_to_pass(
    divergence: Divergence, reference_rows: int, bins: int, threshold: float, alpha: float
) -> int | None:
    """From about how many rows a check passes, in 9 of 10 cases, on data that has not moved.

    All columns must pass: as many as ``alpha`` was divided among (:func:`together`). None when the
    reference has too few rows for any number to do.
    """
    if not reference_rows:
        return None
    if bins < 2:  # noqa: PLR2004 - what cannot differ passes
        return 1
    unlucky = MISSED * min(1.0, alpha / BEYOND)

    def passes(rows: float) -> bool:
        def found(move: float) -> Estimate:
            return _expected(divergence, rows, reference_rows, bins, move, threshold, unlucky)

        # As far from the reference as rows that have not moved may fall by chance.
        farthest = min(_FARTHEST, 20 / math.sqrt(evidence(rows, reference_rows)))
        unlucky_move = _first(lambda move: found(move).low > 0, 0.0, farthest, 9)
        return found(unlucky_move).high <= threshold

    if not passes(_ENOUGH):
        return None
    rows = 2.0
    while not passes(rows):
        rows *= 2
    if rows <= 2:  # noqa: PLR2004 - where it began
        return 2
    digits = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return int(digits * math.ceil(_first(passes, rows / 2, rows, 6) / digits))


def _first(holds: Callable[[float], bool], low: float, high: float, halvings: int = 16) -> float:
    """About the first place between ``low`` and ``high`` from which it holds."""
    for _ in range(halvings):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _expected(  # noqa: PLR0917 - all that a plan knows
    divergence: Divergence,
    rows: float,
    reference_rows: float,
    bins: int,
    move: float,
    threshold: float,
    alpha: float,
    beyond: float = BEYOND,
) -> Estimate:
    """What is found of a normal column that moved by so many deviations, without any luck."""
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - slow to import

    edges = ndtri(np.arange(1, bins) / bins)
    shares = np.diff(ndtr(edges - move), prepend=0.0, append=1.0)
    counted = Counted(
        current=rows * shares,
        reference=np.full(bins, reference_rows / bins),
        edges=edges,
        deviation=1.0,
    )
    return divergence.estimate(counted, threshold, alpha, beyond)

"""How far has a column moved by nothing but values that the reference never had?

A bin that is empty in the reference is counted together with others, for little is known of its
share; so a category that is new in a fifth of the rows could hide among the old ones. Here all
that is new is held against all the rest. Of two bins the divergence is at most that of all (the
data-processing inequality: Cover and Thomas, Elements of Information Theory, 2.8), so what is
certainly too far here is too far.

The measures themselves take what is new as one more group, whose share in the reference may be
nothing: then no upper bound is finite in truth, and one new row would keep a check from passing.
So a check folds it away first, and comes here for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.drift.divergence import Counted
from seatrial.data.drift.interval import BEYOND, SMOOTHING, Estimate
from seatrial.data.drift.settling import Settling

if TYPE_CHECKING:
    from seatrial.data.drift.divergence import Divergence

_ENDLESS = 1e12
"""Of so many rows the value is that of the shares, without chance."""

_LONGEST = 60
"""More rows are tried in so many steps, each a quarter more."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """So many rows of ``now`` hold a value that the reference never had; ``unmet`` of ``before``.

    What was not met is not what does not exist: about as large a part of all is still unmet as
    was met only once (Good, 1953, Biometrika 40, 237), so those rows stand for it.
    """

    new: float
    now: float
    unmet: float
    before: float


def unseen(counted: Counted) -> Unseen | None:
    """What the reference never had, missing values too; None when there is nothing new.

    >>> unseen(Counted(np.array([60.0, 29.0, 1.0, 10.0]), np.array([69.0, 30.0, 1.0, 0.0])))
    Unseen(new=10.0, now=100.0, unmet=1.0, before=100.0)
    """
    new = float(counted.current[counted.reference == 0].sum())
    new += 0 if counted.missing[1] else counted.missing[0]
    once = float((counted.reference == 1).sum()) + (counted.missing[1] == 1)
    return Unseen(new, counted.rows[0], once, counted.rows[1]) if new else None


def folded(counted: Counted) -> Counted:
    """The same with what is new counted among the old: in the nearest bin, else in the fullest.

    By themselves a few new rows would leave the upper bound open; :func:`estimate` bounds them.
    The choice looks at the reference alone.

    >>> few = folded(Counted(np.array([5.0, 3.0, 1.0]), np.array([9.0, 7.0, 0.0]), missing=(2, 0)))
    >>> few.current.tolist(), few.missing
    ([8.0, 3.0, 0.0], (0, 0))
    """
    seen = np.flatnonzero(counted.reference)
    if not len(seen):
        return counted
    current, fullest = counted.current.copy(), int(counted.reference.argmax())
    for place in np.flatnonzero((counted.reference == 0) & (counted.current > 0)):
        nearest = seen[np.abs(seen - place).argmin()]
        current[nearest if counted.edges is not None else fullest] += current[place]
        current[place] = 0
    missing = counted.missing
    if not missing[1]:
        current[fullest] += missing[0]
        missing = (0, 0)
    return replace(counted, current=current, missing=missing)


def estimate(divergence: Divergence, found: Unseen, limit: float, alpha: float) -> Estimate:
    """The divergence of the two shares, with bounds from those of Clopper and Pearson (1934).

    The lower bound is wrong with probability ``alpha``: the share now is at least, the share in
    the reference at most what half of it allows. The reference's share is smoothed in the value
    and in the upper bound, which without that would be infinite.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - slow to import

    new, now, unmet, before = found.new, found.now, found.unmet, found.before
    least = float(betaincinv(new, now - new + 1, alpha / 2))
    most = float(betaincinv(unmet + 1, max(before - unmet, 1), 1 - alpha / 2))
    up = float(betaincinv(new + 1, now - new, 1 - BEYOND)) if new < now else 1.0
    q = _unmet_share(found)

    def between(p: float, q: float) -> float:
        return _between(divergence, p, q, limit)

    value = between(new / now, q)
    return Estimate(value, min(between(least, most), value), max(between(up, q), value))


def is_more_than_luck(divergence: Divergence, found: Unseen, limit: float, doubt: float) -> bool:
    """Whether what is new is too far even with fewer such rows, as few as that doubt allows.

    How few rows the reference has is no excuse: what it could not have shown is not passed over.
    """
    from scipy.special import betaincinv  # noqa: PLC0415 - slow to import

    least = float(betaincinv(found.new, found.now - found.new + 1, doubt))
    return _between(divergence, least, _unmet_share(found), limit) > limit


def _unmet_share(found: Unseen) -> float:
    return (found.unmet + SMOOTHING) / (found.before + 2 * SMOOTHING)


def _between(divergence: Divergence, p: float, q: float, limit: float) -> float:
    """The divergence of two shares; 0 where the one now is no larger."""
    ours, theirs = (_ENDLESS * np.array([1 - share, share]) for share in (p, q))
    return divergence.estimate(Counted(ours, theirs), limit, BEYOND).value if p > q else 0.0


def settling(divergence: Divergence, found: Unseen, limit: float, alpha: float) -> Settling:
    """About how many more rows, with as large a part of new ones, would be certainly too far."""
    for step in range(1, _LONGEST):
        factor = 1.25**step
        more = replace(found, new=found.new * factor, now=found.now * factor)
        if estimate(divergence, more, limit, alpha).low > limit:
            return Settling(math.ceil(found.now * (factor - 1)))
    few = f"{found.before:.0f} row{'s' * (found.before != 1)}"
    return Settling(None, f"the reference has too few rows for it ({few})", larger=True)

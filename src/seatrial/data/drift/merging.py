"""Which bins are counted together when rows are few? Chosen by the reference alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.drift.divergence import Counted

    Counts = NDArray[np.float64]

NOISE = 0.1
"""What chance alone adds may be this part of the threshold (of its square for a distance)."""

FEWEST = 5
"""With fewer bins a change of spread would look like none. Rows may still be too few for these."""

EXPECTED = 10.0
"""So many rows are expected in every bin, or its share is too rough (Cochran, 1954, asks for 5)."""


def evidence(now: float, before: float) -> float:
    """How many rows tell one distribution from another: 1 / (1/n + 1/m).

    >>> evidence(1000, 1000)
    500.0
    """
    return now * before / (now + before)


def rows_of(counted: Counted) -> tuple[float, float]:
    """Rows now and in the reference; ValueError when there are none on one of the sides."""
    now, before = counted.rows
    if not now or not before:
        raise ValueError("a divergence needs rows on both sides")
    return now, before


def fresh(counted: Counted) -> NDArray[np.bool_]:
    """Which bins ``[k]`` have rows now that the reference never had."""
    new: NDArray[np.bool_] = (counted.reference == 0) & (counted.current > 0)
    return new


def once(counted: Counted) -> float:
    """How many rows of the reference stand for what it never had, on average: Good's estimate.

    As many as have a value that it had once (Good, 1953, Biometrika 40, 237): of many rare values
    a small reference lacks some by chance, and that they come is no news.
    """
    return float((counted.reference == 1).sum())


def merged(
    counted: Counted, most: int, expected: float = EXPECTED, unseen: float | None = None
) -> tuple[Counts, Counts]:
    """Current and reference counts of the groups that :func:`grouped` makes of the bins.

    What the reference never had counts as so many ``unseen`` rows of it, by default :func:`once`.
    """
    places = grouped(counted, most, expected)
    used, size = places >= 0, int(places.max(initial=-1)) + 1
    sides = zip((counted.current, counted.reference), counted.missing, strict=True)
    ours, theirs = (
        np.bincount(places[used], np.append(bins, missing)[used], size).astype(np.float64)
        for bins, missing in sides
    )
    never = theirs[: size - any(counted.missing)] == 0
    theirs[: len(never)][never] = once(counted) if unseen is None else unseen
    return ours, theirs


def fullness(rows: float, most: int, expected: float = EXPECTED) -> tuple[int, float]:
    """How many groups there may be, and which share of the reference is too small for one.

    A group holds twice as much on average, so that few are too empty by chance alone; but they are
    not fewer than ``FEWEST`` for want of more than ``EXPECTED`` rows each.

    >>> fullness(1000, 20), fullness(100, 20), fullness(30, 20)
    ((20, 0.01), (5, 0.1), (3, 0.16666666666666666))
    """
    groups = max(2, min(most, int(max(rows / (2 * expected), min(FEWEST, rows / EXPECTED)))))
    return groups, min(expected / rows, 0.5 / groups)


def grouped(counted: Counted, most: int, expected: float = EXPECTED) -> NDArray[np.int64]:
    """The group of each bin, and of the missing values ``[k + 1]``; -1 of a bin without a row.

    About ``most`` groups, in each of which so many rows are ``expected``. Apart, however few, are
    missing values, what the reference never had, and what would not fill a group: among many
    others nobody would see them come. The choice looks at the reference alone, so it favours no
    outcome; merging can lower a divergence, never raise it (the data-processing inequality: Cover
    and Thomas, Elements of Information Theory, 2.8).
    """
    now, before = counted.missing
    seen, new = counted.reference > 0, fresh(counted)
    found = np.full(len(seen) + 1, -1, np.int64)
    groups, share = fullness(evidence(*rows_of(counted)), most, expected)
    most = max(2, groups - bool(now + before) - bool(new.any()))
    bins, ordered = counted.reference[seen], counted.edges is not None
    found[:-1][seen] = merging(bins, most, share * counted.rows[1], ordered=ordered)
    found[:-1][new] = found.max() + 1
    if now + before:
        found[-1] = found.max() + 1
    return found


def merging(
    reference: Counts, most: int, least: float = 0.0, *, ordered: bool
) -> NDArray[np.int64]:
    """Which of at most ``most`` groups each bin ``[k]`` goes to, about equally full of reference.

    Neighbours come together when ``ordered``, else whatever a fixed shuffle makes neighbours.
    Groups that still hold less than ``least`` are one in the end. Picking the emptiest bins, again
    and again, would pick those that are empty by chance: where the reference is small, its noise
    would look like a move. For the same reason counts that chance alone may have made differ are
    taken as equal (:func:`_likely`): else the full ones would stay alone, for being full.

    >>> merging(np.array([5.0, 1.0, 1.0, 5.0]), 3, ordered=True).tolist()
    [0, 1, 1, 2]
    >>> merging(np.array([9.0, 1.0, 9.0, 1.0]), 9, 2.0, ordered=True).tolist()
    [0, 2, 1, 2]
    """
    k = len(reference)
    order = np.arange(k) if ordered else _shuffle(k)
    places = np.zeros(k, np.int64)
    places[order] = _parts(_likely(reference[order]), most) if k > most else np.arange(k)
    sums = np.bincount(places, reference) if k else reference
    small = sums < least
    if small.any() and not small.all():
        joined = np.where(small, len(sums), np.cumsum(~small) - 1)
        places = np.unique(joined[places], return_inverse=True)[1]
    return places


@cache
def _shuffle(k: int) -> NDArray[np.int64]:
    """An order of ``k`` bins that has nothing to do with their counts."""
    return np.random.default_rng(k).permutation(k)


def _likely(counts: Counts) -> Counts:
    """The counts, drawn to their mean as far as chance may have driven them from it.

    Their squared distances from it are ``k - 1`` times the mean by chance alone (James and Stein,
    1961, subtract that); twice as much is not believed.

    >>> _likely(np.array([45.0, 55.0])).tolist(), _likely(np.array([0.0, 100.0])).tolist()
    ([50.0, 50.0], [1.0, 99.0])
    """
    mean = counts.mean()
    spread = float(((counts - mean) ** 2).sum())
    chance = 2 * (len(counts) - 1) * float(mean)
    likely: Counts = mean + (counts - mean) * (1 - chance / max(spread, chance, 1.0))
    return likely


def _parts(counts: Counts, most: int) -> NDArray[np.int64]:
    """Which of at most ``most`` parts each of the counts, in a row, has its middle in.

    A count that would fill more than a part is taken as if it filled just one.
    """
    weights = counts
    for _ in range(4):
        weights = np.minimum(counts, max(float(weights.sum()), 1.0) / most)
    ends = np.cumsum(weights)
    middles = (ends - weights / 2) / max(float(ends[-1]), 1.0)
    parts = np.minimum((middles * most).astype(np.int64), most - 1)
    found: NDArray[np.int64] = np.unique(parts, return_inverse=True)[1]
    return found

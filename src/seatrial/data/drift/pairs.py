"""What was counted of a column in the reference, and what of the same column now?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.drift.bins import ORDERED, present, rows_of
from seatrial.data.drift.divergence import Counted
from seatrial.data.drift.merging import EXPECTED
from seatrial.data.shape import Within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from seatrial.data import Rows
    from seatrial.data.drift.divergence import Divergence
    from seatrial.data.drift.limits import Limits
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile

    Counts = NDArray[np.float64]

_NAMED = 20
"""Of so many columns the most frequent unlisted values are looked up: each costs a scan."""

_SLIGHT = 0.01
"""Unlisted values whose share has not grown by more are not looked up."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One column, counted twice on the same bins: of all rows, or of those ``within`` a slice.

    ``unlisted`` are the most frequent values now that the reference does not list, with their
    counts; empty when nobody looked.
    """

    reference: ColumnProfile
    current: ColumnProfile
    within: Within | None = None
    unlisted: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """The column, and the slice.

        >>> from seatrial.data.shape import ColumnProfile
        >>> delay = ColumnProfile(name="delay", kind="number")
        >>> Pair(delay, delay, Within("origin", "JFK")).name
        'delay on origin = JFK'
        """
        part = self.within
        return self.reference.name + (f" on {said(part)}" if part else "")

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows were counted, now and in the reference."""
        return rows_of(self.current), rows_of(self.reference)

    @property
    def counted(self) -> Counted:
        """What a measure is computed from."""
        ordered = self.reference.kind in ORDERED
        now, before = (
            np.array(present(column), np.float64) for column in (self.current, self.reference)
        )
        if not ordered:
            before = _unpicked(before, now)
        return Counted(
            now,
            before,
            np.array(self.reference.edges, np.float64) if ordered else None,
            (self.current.missing, self.reference.missing),
            self.reference.deviation,
        )

    def fits(self, measure: Divergence) -> bool:
        """Whether the measure can be taken of such a column."""
        return not measure.numbers_only or self.reference.kind in ORDERED


def _unpicked(before: Counts, now: Counts) -> Counts:
    """The reference ``[k + 1]`` of listed values and all others, without the luck of the listing.

    The most frequent values are listed; in a small reference those with hardly a row are listed by
    luck, for as many others might have been. That they are rarer now is no news, nor that the
    others are more frequent: of a column without repeats all that was listed is gone. So as much
    of what the barely listed had as they lost, together, counts among the others. If they are
    more frequent now they stay as they were, since luck speaks against it.

    >>> ids = np.array([50.0, 1.0, 1.0, 48.0])
    >>> _unpicked(ids, np.array([50.0, 0.0, 0.0, 50.0])).tolist()
    [50.0, 0.0, 0.0, 50.0]
    >>> _unpicked(ids, np.array([40.0, 9.0, 1.0, 50.0])).tolist()
    [50.0, 1.0, 1.0, 48.0]
    """
    few = before < EXPECTED
    few[-1] = False
    had, has = before[few].sum() / max(before.sum(), 1), now[few].sum() / max(now.sum(), 1)
    if not before[-1] or has >= had:
        return before
    kept = np.where(few, before * has / had, before)
    kept[-1] += before.sum() - kept.sum()
    return kept


def said(part: Within) -> str:
    """A slice in words."""
    return f"{part.column} {'is missing' if part.value is None else f'= {part.value}'}"


def paired(
    profile: Profile, rows: Rows, columns: Sequence[ColumnProfile], limits: Limits
) -> tuple[Pair, ...]:
    """The columns of the profile, counted in ``rows`` too: on all rows, then slice by slice.

    One scan or two for all rows, and as many for each slice.
    """
    current = rows.tally([column.shape for column in columns])
    whole = [Pair(*pair) for pair in zip(columns, current, strict=True)]
    return (*_with_unlisted(whole, rows), *_sliced(profile, rows, columns, limits))


def _sliced(
    profile: Profile, rows: Rows, columns: Sequence[ColumnProfile], limits: Limits
) -> Iterator[Pair]:
    there = {column.name for column in rows.columns}
    names = {column.name for column in columns}
    for part in profile.slices:
        if part.column not in limits.slices or part.column not in there:
            continue
        within = Within(part.column, part.value)
        # The column that makes the slice has but one value in it.
        references = [c for c in part.columns if c.name in names and c.name != part.column]
        current = rows.tally([column.shape for column in references], within)
        for reference, now in zip(references, current, strict=True):
            yield Pair(reference, now, within)


def _with_unlisted(pairs: Sequence[Pair], rows: Rows) -> list[Pair]:
    """The most frequent values that the reference does not list, where there are more of them."""
    risen = [pair for pair in pairs if pair.reference.kind == "string" and _rise(pair) > _SLIGHT]
    found = {
        pair.name: rows.unlisted(pair.reference.name, pair.reference.values)
        for pair in sorted(risen, key=_rise, reverse=True)[:_NAMED]
    }
    return [replace(pair, unlisted=found.get(pair.name, ())) for pair in pairs]


def _rise(pair: Pair) -> float:
    """By how much the share of unlisted values has grown; the first ones ever count as many."""
    now, before = pair.rows
    share = pair.current.other / max(now, 1)
    return share - pair.reference.other / max(before, 1) if pair.reference.other else share * now

"""Has the traffic of a day moved away from what a version was trained on? Values only.

An hour is told, but an hour is not a day: nights differ from the average of the training data.
So what decides is the sum of the last 24 hours, and that it does not rest on one busy hour.

Somebody looks after every hour, all year. Each look is therefore allowed so little that all looks
of a year at all columns together raise a false alarm with a probability of 5 % at most, even for
traffic that stands exactly on the limit (the union bound: valid however much the sums overlap,
and generous, since each shares 23 hours with the next).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.data.drift.bins import rows_of
from seatrial.data.drift.compared import compared
from seatrial.data.drift.pairs import Pair
from seatrial.data.drift.settling import together
from seatrial.data.profiles.adding import add_column
from seatrial.outcome import Verdict, combine

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from seatrial.data.drift.compared import Compared
    from seatrial.data.drift.limits import Limits
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile

LOOKS = 366 * 24
"""In a year: one after every hour."""

DAY = timedelta(hours=24)

TOLD = 5
"""Of so many columns the numbers are kept with the hour; the counts of all stand in its blob."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What some rows said, column by column; the one that moved farthest comes first."""

    columns: tuple[Compared, ...] = ()
    alone: frozenset[str] = frozenset()
    """Columns that moved, but only by what came within a single hour."""

    @property
    def moved(self) -> tuple[str, ...]:
        """The columns that certainly moved too far, but for those of a single hour."""
        return tuple(
            each.name
            for each in self.columns
            if each.measure.verdict is Verdict.FAIL and each.name not in self.alone
        )

    @property
    def verdict(self) -> Verdict:
        """Skip when nothing was counted; what a single hour did settles nothing."""
        if not self.columns:
            return Verdict.SKIP
        if self.moved:
            return Verdict.FAIL
        if self.alone:
            return Verdict.INCONCLUSIVE
        return combine(each.measure.verdict for each in self.columns)

    def to_json(self, most: int = TOLD) -> list[dict[str, Any]]:
        """The numbers of so many columns, of those that moved before all others."""
        ordered = sorted(self.columns, key=lambda each: each.name not in self.moved)
        keys = ("value", "low", "high", "limit")
        return [
            {
                "name": each.name,
                **{key: _said(getattr(each.measure, key)) for key in keys},
                "n": each.measure.n,
                "verdict": str(each.measure.verdict),
                "changes": [str(change) for change in each.changes],
            }
            for each in ordered[:most]
        ]


def _said(number: float | None) -> float | None:
    """A number as JSON can say it."""
    return float(number) if number is not None and math.isfinite(number) else None


def judged(reference: Profile, counts: Sequence[ColumnProfile], limits: Limits) -> Judged:
    """Judge one sum of counts: the columns that ``limits`` compares, as far as they were counted.

    Columns that ``limits`` names and the model does not read are no matter here.
    """
    pairs = [
        pair
        for now in counts
        if (known := reference.column(now.name)) is not None
        and _compares(limits, now.name)
        and rows_of(now)
        and (pair := Pair(known, now)).fits(limits.divergence)
    ]
    alpha = together(max(1, len(pairs)) * LOOKS)
    found = (compared(p, limits.divergence, limits.of(p.reference.name), alpha) for p in pairs)
    return Judged(tuple(sorted(found, key=lambda each: -each.reach)))


def of_day(reference: Profile, hours: Sequence[Sequence[ColumnProfile]], limits: Limits) -> Judged:
    """Judge the sum of some hours; what only the busiest of them moved is told as such."""
    found = judged(reference, summed(hours), limits)
    if not found.moved:
        return found
    busiest = max(range(len(hours)), key=lambda i: max(map(rows_of, hours[i]), default=0))
    others = [hour for i, hour in enumerate(hours) if i != busiest]
    still = judged(reference, summed(others), limits).moved
    return Judged(found.columns, frozenset({*found.moved} - {*still}))


def summed(hours: Sequence[Sequence[ColumnProfile]]) -> list[ColumnProfile]:
    """The counts of several hours, column by column."""
    total: dict[str, ColumnProfile] = {}
    for hour in hours:
        for column in hour:
            known = total.get(column.name)
            total[column.name] = column if known is None else add_column(known, column)
    return [*total.values()]


def _compares(limits: Limits, name: str) -> bool:
    return name not in limits.exclude and (not limits.columns or name in limits.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A time in which traffic was elsewhere: ``since`` the hour in which a day first said so.

    ``last`` is the last hour at which it did. ``asked`` are the columns that people were asked
    about, ``asked_at`` the hour of the last question: empty when nobody was. Times are ISO, UTC.
    """

    since: str
    last: str
    asked: tuple[str, ...] = field(default=())
    asked_at: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """The episode as it stands now (None: there is none), and what is due with it."""

    episode: Episode | None
    ask: bool = False
    over: bool = False


def follow(
    before: Episode | None,
    hour: datetime,
    verdict: Verdict,
    moved: Collection[str],
    *,
    serves: bool = True,
) -> Next:
    """What one more hour means. Nobody is asked about a version that ``serves`` no more.

    A question is due when an episode begins, and when columns move that nobody was asked about:
    not more often than once a day, since columns that move together are found hour by hour. It is
    over when the sum of a day lies within the limits and none said otherwise for 24 hours.
    """
    if before is None and not moved:
        return Next(None)
    now = hour.isoformat()
    if before is None:
        before = Episode(since=now, last=now)
    if moved:
        told = replace(before, last=now)
        waited = not told.asked_at or hour - datetime.fromisoformat(told.asked_at) >= DAY
        if not serves or not waited or not {*moved} - {*told.asked}:
            return Next(told)
        columns = tuple(sorted({*told.asked, *moved}))
        return Next(replace(told, asked=columns, asked_at=now), ask=True)
    calm = hour - datetime.fromisoformat(before.last) >= DAY
    if calm and verdict is Verdict.PASS:
        return Next(None, over=True)
    return Next(before)


def episode_of(document: Mapping[str, Any] | None) -> Episode | None:
    """What ``asdict`` made of an episode, read back."""
    if document is None:
        return None
    return Episode(**{**document, "asked": tuple(document["asked"])})

"""Which columns may move how far from a profile, and by which measure?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.data.drift.divergence import MEASURES
from seatrial.errors import FileError, FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.data.drift.divergence import Divergence
    from seatrial.data.profiles.profile import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a comparison demands; thresholds are in the unit of the measure.

    ``columns`` are compared (empty: all that can be) but for ``exclude``, on all rows and, for
    each column in ``slices``, on the rows of each of its values that the profile knows.
    ``threshold`` is the measure's own when None, ``thresholds`` those of single columns.
    """

    measure: str = "kl"
    threshold: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()

    @property
    def divergence(self) -> Divergence:
        """The measure. Raises FileError when there is none of that name."""
        if self.measure in MEASURES:
            return MEASURES[self.measure]
        close = nearest(self.measure, MEASURES)
        fix = f"use one of: {', '.join(MEASURES)}"
        what = f"unknown drift measure {self.measure!r}"
        raise FileError(Mistake(what, nearest=close, fix=fix))

    @property
    def usual(self) -> float:
        """How far a column may move that has no threshold of its own."""
        return self.divergence.threshold if self.threshold is None else self.threshold

    def of(self, column: str) -> float:
        """How far that column may move."""
        return self.thresholds.get(column, self.usual)


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A name that cannot be what it says: under which key, what is wrong, and the way out."""

    key: str
    what: str
    nearest: str = ""
    fix: str = ""


def misnamed(
    limits: Limits, profile: Profile, command: str, others: Sequence[str] | None = None
) -> Iterator[Misnamed]:
    """Every name in ``limits`` that the profile lacks, and thresholds that are no limit.

    ``command`` is what makes the profile, to which ``--by COLUMN`` may be added. What is not
    compared may be in the data alone, ``others``; without these it is not looked at.
    """
    own = [("thresholds", limit) for limit in limits.thresholds.values()]
    for key, limit in [("threshold", limits.usual), *own]:
        if not math.isfinite(limit):
            yield Misnamed(key, f"{limit} is no limit", fix="write a finite number above 0")
    known = [column.name for column in profile.columns]
    named: dict[str, Sequence[str]] = {
        "columns": limits.columns,
        "thresholds": [*limits.thresholds],
        "exclude": [] if others is None else [n for n in limits.exclude if n not in {*others}],
    }
    for key, names in named.items():
        for name in sorted({*names} - {*known}):
            yield Misnamed(
                key,
                f"the profile of {profile.dataset!r} has no column {name!r}",
                nearest(name, known),
                "correct the name, or make the profile again",
            )
    for name in sorted({*limits.columns} & {*limits.exclude}):
        yield Misnamed("exclude", f"column {name!r} is both compared and excluded", fix="choose")
    yield from _unsliced(limits, profile, known, command)


def _unsliced(
    limits: Limits, profile: Profile, known: Sequence[str], command: str
) -> Iterator[Misnamed]:
    there = [*dict.fromkeys(part.column for part in profile.slices)]
    wanted = [name for name in limits.slices if name in known]
    by = " ".join(f"--by {name}" for name in dict.fromkeys([*there, *wanted]))
    for name in dict.fromkeys(limits.slices):
        if name in there:
            continue
        what = f"the profile of {profile.dataset!r} has no slices by {name!r}"
        if name not in known:
            close = nearest(name, [*there, *known])
            yield Misnamed("slices", what, close, "correct the name")
            continue
        yield Misnamed("slices", what, fix=f"make them: `{command} {by}`")


def demand_named(limits: Limits, profile: Profile, others: Sequence[str], command: str) -> None:
    """Raise FormError with every name in ``limits`` that neither profile nor data have."""
    wrong = tuple(misnamed(limits, profile, command, others))
    if wrong:
        raise FormError(
            *(Mistake(m.what, f"`{m.key}`", nearest=m.nearest, fix=m.fix) for m in wrong)
        )

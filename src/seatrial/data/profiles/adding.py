"""How are the profiles of parts added up to that of the whole?

Counts on the same edges and values add up to the last row, and so do the ends; mean and deviation
are exact up to rounding.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.data.profiles.moments import Moments, combined
from seatrial.data.profiles.profile import count, noted
from seatrial.data.shape import Shape
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from seatrial.data import Rows
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile


def count_alike(rows: Rows, profile: Profile) -> Profile:
    """The profile of another part, on the edges, values and slices of ``profile``.

    Raises FormError when its columns are others.
    """
    found = {column.name: column for column in rows.columns}
    wanted = {column.name: column.kind for column in profile.columns}
    other = [c for c in rows.columns if wanted.get(c.name, c.kind) != c.kind]
    # A CSV column without any value is text for want of a kind of its own.
    empty = {c.name for c in rows.tally([Shape(c) for c in other]) if c.nulls == rows.rows}
    parts = {
        "lacks": [name for name in wanted if name not in found],
        "has more columns:": [name for name in found if name not in wanted],
        "holds values of another kind in": [c.name for c in other if c.name not in empty],
    }
    wrong = [f"it {verb} {listed(names, 4)}" for verb, names in parts.items() if names]
    if wrong:
        raise FormError(
            Mistake(
                f"dataset {rows.dataset.name!r} has other columns than the first,"
                f" {profile.dataset!r}:\n"
                f"  {'; '.join(wrong)}",
                where=rows.dataset.place,
                fix="profile files of the same columns together, the others alone",
            )
        )
    shapes = [column.shape for column in profile.columns]
    return count(rows, shapes, [part.within for part in profile.slices])


def add(one: Profile, other: Profile) -> Profile:
    """The profile of the rows of both, which were counted on the same edges, values and slices.

    Its fingerprint is that of the two fingerprints in their order. FormError when the two were
    not counted alike.
    """
    if [c.name for c in one.columns] != [c.name for c in other.columns]:
        raise _apart(one, other, "they are of other columns")
    if [part.within for part in one.slices] != [part.within for part in other.slices]:
        raise _apart(one, other, "they have other slices")
    for ours, theirs in zip(one.columns, other.columns, strict=True):
        if (ours.kind, ours.edges, ours.values) != (theirs.kind, theirs.edges, theirs.values):
            raise _apart(one, other, f"column {ours.name!r} has other edges or values")
    both = f"{one.fingerprint}\n{other.fingerprint}"
    return replace(
        one,
        fingerprint=f"sha256:{hashlib.sha256(both.encode()).hexdigest()}",
        rows=one.rows + other.rows,
        columns=_columns(one.columns, other.columns),
        slices=tuple(
            replace(
                ours,
                rows=ours.rows + theirs.rows,
                columns=_columns(ours.columns, theirs.columns),
            )
            for ours, theirs in zip(one.slices, other.slices, strict=True)
        ),
    )


def add_column(one: ColumnProfile, other: ColumnProfile) -> ColumnProfile:
    """One column of the rows of both, counted on the same edges and values."""
    found = combined(_moments(one), _moments(other))
    return replace(
        one,
        nulls=one.nulls + other.nulls,
        nans=one.nans + other.nans,
        infinities=one.infinities + other.infinities,
        counts=tuple(a + b for a, b in zip(one.counts, other.counts, strict=True)),
        other=one.other + other.other,
        n=found.n,
        minimum=found.minimum,
        maximum=found.maximum,
        mean=found.mean,
        deviation=found.deviation,
    )


def _columns(
    one: tuple[ColumnProfile, ...], other: tuple[ColumnProfile, ...]
) -> tuple[ColumnProfile, ...]:
    return tuple(noted(add_column(*pair)) for pair in zip(one, other, strict=True))


def _moments(column: ColumnProfile) -> Moments:
    return Moments(column.n, column.minimum, column.maximum, column.mean, column.deviation)


def _apart(one: Profile, other: Profile, why: str) -> FormError:
    return FormError(
        Mistake(
            f"the profiles of {one.dataset!r} and {other.dataset!r} cannot be added: {why}",
            fix="count both on the shapes of one: `seatrial profile ONE OTHER -o FILE`",
        )
    )

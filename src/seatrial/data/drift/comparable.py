"""Which columns of a profile can be compared with those of a dataset, and why not the others?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.data.column import Column, Kind, listed
from seatrial.data.drift.limits import demand_named
from seatrial.data.meant import meant
from seatrial.data.shape import Shape
from seatrial.errors import FormError, Mistake, nearest
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from seatrial.data import Rows
    from seatrial.data.drift.limits import Limits
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile

TOLD = 20
"""So many columns are told of one by one; the rest is counted."""

_EXAMPLES = 200
"""So many of the most frequent texts are looked at for what was meant by them."""

_PLURAL: Mapping[Kind, str] = {
    "number": "numbers",
    "boolean": "booleans",
    "string": "text",
    "time": "times",
    "other": "nested or binary values",
}


@dataclass(frozen=True, slots=True)
class Comparable:
    """What of a profile can be compared.

    ``broken`` columns are missing or of another kind: ``faults`` tells of them, which is enough
    to fail. ``notes`` tells what is not compared, and what has changed without harm.
    """

    columns: tuple[ColumnProfile, ...]
    broken: tuple[str, ...] = ()
    faults: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()


def comparable(profile: Profile, rows: Rows, limits: Limits, command: str = "") -> Comparable:
    """The columns of the profile that are wanted and can be compared with those of ``rows``.

    ``command`` is what makes the profile, for errors to quote. Raises FormError when ``limits``
    names columns that are not there, when the two have none in common, or none is left to compare.
    """
    command = command or f"seatrial profile {rows.dataset.place} -o FILE"
    demand_named(limits, profile, [column.name for column in rows.columns], command)
    known = {column.name: column for column in rows.columns}
    wanted = _wanted(profile, rows, limits, command)
    needed = dict.fromkeys([*(column.name for column in wanted), *limits.slices])
    missing = [name for name in needed if name not in known]
    there = [column for column in wanted if column.name in known]
    changed = _other_kind(there, rows, known)
    unfit = {column.name for column in changed}
    fit = [column for column in there if column.name not in unfit]
    columns = [c for c in fit if c.kind != "other" and (c.kind != "time" or limits.columns)]
    if not columns and not missing and not changed:
        raise FormError(
            Mistake(
                f"no column of {rows.dataset.name!r} is left to compare",
                where=rows.dataset.place,
                fix="name columns under `columns:`, times too, or shorten `exclude:`",
            )
        )
    return Comparable(
        tuple(columns),
        (*missing, *(column.name for column in changed)),
        (*_missing(missing, rows, known), *_changed(changed, rows, known)),
        (*_other_type(fit, known, rows), *_apart(fit, rows, limits), *_new(profile, rows, limits)),
    )


def bounded(findings: Iterable[Finding], count: int, what: str, where: str) -> Iterator[Finding]:
    """The first findings of so many; then one that counts the rest."""
    yield from itertools.islice(findings, TOLD)
    if count > TOLD:
        yield Finding(what=f"and {count - TOLD} more {what}", where=where)


def _wanted(profile: Profile, rows: Rows, limits: Limits, command: str) -> list[ColumnProfile]:
    """The columns that are named; else all but key, time and those that are no features."""
    dataset, there = rows.dataset, {column.name for column in rows.columns}
    if there.isdisjoint(column.name for column in profile.columns):
        known, found = ([c.name for c in columns] for columns in (profile.columns, rows.columns))
        raise FormError(
            Mistake(
                f"the profile of {profile.dataset!r} is of other columns: {listed(known, 6)}\n"
                f"  dataset {dataset.name!r} has: {listed(found, 6)}",
                where=dataset.place,
                fix=f"profile the right data: `{command}`",
            )
        )
    apart = {*limits.exclude}
    if not limits.columns:
        apart |= {*dataset.exclude, *(name for name in (dataset.key, dataset.time) if name)}
    named = ({*limits.columns} or {column.name for column in profile.columns}) - apart
    return [column for column in profile.columns if column.name in named]


def _other_kind(
    columns: Sequence[ColumnProfile], rows: Rows, known: Mapping[str, Column]
) -> list[ColumnProfile]:
    """The columns that hold values of another kind than in the profile."""
    other = [
        column
        for column in columns
        if known[column.name].kind != column.kind and not _held_nothing(column)
    ]
    # A CSV column without any value is text for want of a kind of its own.
    texts = [known[column.name] for column in other if known[column.name].kind == "string"]
    counted = rows.tally([Shape(column) for column in texts]) if texts else ()
    empty = {column.name for column in counted if column.nulls == rows.rows}
    return [column for column in other if column.name not in empty]


def _held_nothing(column: ColumnProfile) -> bool:
    return column.kind == "string" and not sum(column.counts) + column.other


def _missing(names: Sequence[str], rows: Rows, known: Mapping[str, Column]) -> Iterator[Finding]:
    where = rows.dataset.name
    findings = (
        Finding(
            what=f"column {name!r} of the profile is missing",
            where=where,
            hint=f"nearest column: {close}" if (close := nearest(name, known)) else "",
        )
        for name in names
    )
    return bounded(findings, len(names), "columns of the profile are missing", where)


def _changed(
    columns: Sequence[ColumnProfile], rows: Rows, known: Mapping[str, Column]
) -> Iterator[Finding]:
    findings = (
        Finding(
            what=f"column {column.name!r} holds {_PLURAL[known[column.name].kind]},"
            f" the profile {_PLURAL[column.kind]}",
            where=rows.dataset.name,
            hint=_hint(column, rows, known[column.name]),
        )
        for column in columns
    )
    return bounded(findings, len(columns), "columns are of another kind", rows.dataset.name)


def _hint(reference: ColumnProfile, rows: Rows, found: Column) -> str:
    said = ""
    if found.kind == "string" and reference.kind in {"number", "time"}:
        texts = rows.unlisted(found.name, (), _EXAMPLES)
        said = meant((value for value, _ in texts), reference.kind)
    return said or "correct the values, or make the profile again"


def _other_type(
    columns: Sequence[ColumnProfile], known: Mapping[str, Column], rows: Rows
) -> Iterator[Finding]:
    """Same kind, another type: whole numbers that have become fractions, dates with a time."""
    words = [
        f"{column.name} ({was} before, {now} now)"
        for column in columns
        if column.type
        and (now := _word(known[column.name]))
        != (was := _word(Column(column.name, column.kind, column.type)))
        and not _held_nothing(column)
        and now != "text"
    ]
    if words:
        yield Finding(what=f"of another type than before: {listed(words)}", where=rows.dataset.name)


def _word(column: Column) -> str:
    """A column's type as a person says it.

    >>> _word(Column("a", "number", "DECIMAL(9,2)")), _word(Column("b", "time", "TIMESTAMP_NS"))
    ('number', 'timestamp')
    """
    if column.kind == "time":
        return column.type.replace("_", " ").split()[0].lower()
    names = {"string": "text", "other": "nested or binary"}
    return "integer" if column.is_integer else names.get(column.kind, column.kind)


def _apart(columns: Sequence[ColumnProfile], rows: Rows, limits: Limits) -> Iterator[Finding]:
    times = [column.name for column in columns if column.kind == "time" and not limits.columns]
    nested = [column.name for column in columns if column.kind == "other"]
    for names, why in (
        (times, "times are compared only when they are named under `columns`"),
        (nested, "nested and binary values have no distribution"),
    ):
        if names:
            yield Finding(what=f"not compared: {listed(names)} ({why})", where=rows.dataset.name)


def _new(profile: Profile, rows: Rows, limits: Limits) -> Iterator[Finding]:
    if limits.columns:
        return
    apart = {*limits.exclude, *(column.name for column in profile.columns)}
    new = [column.name for column in rows.columns if column.name not in apart]
    if new:
        it = f"column {new[0]!r} is" if len(new) == 1 else f"{len(new)} columns are"
        names = "" if len(new) == 1 else f": {listed(new)}"
        yield Finding(
            what=f"{it} not in the profile and not compared{names}",
            where=rows.dataset.name,
            hint="make the profile again to include them",
        )

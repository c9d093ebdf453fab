"""Has the data drifted away from its profile, by how much, and where?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.column import listed
from seatrial.data.divergence import MEASURES, Counted, Divergence
from seatrial.data.interval import shares
from seatrial.data.shape import Shape
from seatrial.errors import FileError, FormError, Mistake, nearest
from seatrial.outcome import Direction, Finding, Measure, Verdict, combine, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data import Rows
    from seatrial.data.column import Column
    from seatrial.data.profile import Profile
    from seatrial.data.shape import ColumnProfile

_TOLD = 3
"""So many of the bins that changed most are told of each column."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What a comparison found: a measure a column, and what else is worth telling.

    ``broken`` names the columns that could not be compared because they are missing or of
    another kind; each has its finding, and one is enough to fail.
    """

    measures: tuple[Measure, ...]
    findings: tuple[Finding, ...]
    broken: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Fail when a column is broken, else the verdict over the measures."""
        return Verdict.FAIL if self.broken else combine(m.verdict for m in self.measures)


def compare(
    profile: Profile,
    table: Rows,
    threshold: float,
    columns: Sequence[str] | None = None,
    measure: str = "kl",
) -> Drift:
    """Compare a table with a profile, column by column; ``threshold`` is in nats.

    ``columns`` are all of the profile but key, time and excluded ones, unless named. Missing
    values are a bin of their own; with few rows neighbouring bins are merged, so that chance
    alone stays far below the threshold. Raises FormError when the profile shares no column with
    the table, FileError for an unknown measure.
    """
    estimate = _estimator(measure)
    wanted = _wanted(profile, table, columns)
    broken = {name: fault for name in wanted if (fault := _fault(profile, table, name))}
    pairs = _counted(profile, table, [name for name in wanted if name not in broken])
    measures, findings = [], [*broken.values()]
    if columns is None:
        findings += _new_columns(profile, table)
    for reference, current in pairs:
        found = _measure(measure, estimate, reference, current, threshold, table.rows)
        measures.append(found)
        findings += _news(reference, current, table)
        if found.verdict is not Verdict.PASS:
            findings += _contributors(reference, current, table)
    return Drift(tuple(measures), tuple(findings), tuple(broken))


def _estimator(measure: str) -> Divergence:
    if measure in MEASURES:
        return MEASURES[measure]
    close = nearest(measure, MEASURES)
    fix = f"use one of: {', '.join(MEASURES)}"
    raise FileError(Mistake(f"unknown drift measure {measure!r}", nearest=close, fix=fix))


def _wanted(profile: Profile, table: Rows, columns: Sequence[str] | None) -> list[str]:
    dataset = table.dataset
    apart = {dataset.key, dataset.time, *dataset.exclude}
    known = [column.name for column in profile.columns]
    wanted = [name for name in known if name not in apart] if columns is None else [*columns]
    if known and {column.name for column in table.columns} & {*known}:
        return wanted
    raise FormError(
        Mistake(
            f"the profile of {profile.dataset!r} is of other columns: {listed(known, 6)}\n"
            f"  dataset {dataset.name!r} has: {listed([c.name for c in table.columns], 6)}",
            where=dataset.place,
            fix=f"profile the right data: `seatrial profile {dataset.place} -o FILE`",
        )
    )


def _fault(profile: Profile, table: Rows, name: str) -> Finding | None:
    """Why a column cannot be compared at all."""
    reference, where = profile.column(name), table.dataset.name
    known = {column.name: column for column in table.columns}
    if name not in known:
        close = nearest(name, [*known])
        what = f"column {name!r} of the profile is missing"
        return Finding(what=what, where=where, hint=f"nearest column: {close}" if close else "")
    if reference is None:
        what = f"column {name!r} is not in the profile of {profile.dataset!r}"
        close = nearest(name, [column.name for column in profile.columns])
        hint = f"nearest column: {close}" if close else "make the profile again"
        return Finding(what=what, where=where, hint=hint)
    found = known[name]
    if found.kind == reference.kind:
        return None
    # A CSV column without any value is text for want of a kind of its own.
    if reference.kind == "string" and reference.missing == profile.rows:
        return None
    if found.kind == "string" and _is_empty(table, found):
        return None
    what = f"column {name!r} holds {_PLURAL[found.kind]}, the profile {_PLURAL[reference.kind]}"
    return Finding(what=what, where=where, hint="correct the values, or make the profile again")


_PLURAL = {
    "number": "numbers",
    "boolean": "booleans",
    "string": "text",
    "time": "times",
    "other": "nested or binary values",
}


def _is_empty(table: Rows, column: Column) -> bool:
    return table.tally([Shape(column)])[0].nulls == table.rows


def _counted(
    profile: Profile, table: Rows, names: Sequence[str]
) -> list[tuple[ColumnProfile, ColumnProfile]]:
    """The columns that have a distribution, as the profile and as the table has them."""
    references = [
        column
        for name in names
        if (column := profile.column(name)) and column.kind not in {"time", "other"}
    ]
    return list(zip(references, table.tally([r.shape for r in references]), strict=True))


def _measure(
    word: str,
    estimate: Divergence,
    reference: ColumnProfile,
    current: ColumnProfile,
    threshold: float,
    rows: int,
) -> Measure:
    counted = Counted(
        np.array(_values(current), np.float64),
        np.array(_values(reference), np.float64),
        np.array(reference.edges) if reference.kind == "number" else None,
        (current.missing, reference.missing),
        reference.deviation,
    )
    found = estimate.estimate(counted, threshold, 0.05)
    return Measure(
        name=f"{word}.{reference.name}",
        value=found.value,
        low=found.low,
        high=found.high,
        limit=threshold,
        direction=Direction.AT_MOST,
        n=rows,
        verdict=judge(found.low, found.high, threshold, Direction.AT_MOST),
    )


def _values(column: ColumnProfile) -> list[int]:
    """The counts of what is present: bins of numbers, or listed values and all others."""
    return [*column.counts] if column.kind == "number" else [*column.counts, column.other]


def _names(column: ColumnProfile) -> list[str]:
    """What each of the counts is of, as in a sentence; the missing values last."""
    if column.kind != "number":
        return [*(f"{column.name} = {value}" for value in column.values), f"{column.name} other"]
    if not column.edges:
        return [f"{column.name} present"]
    ends = [f"{edge:.6g}" for edge in column.edges]
    # An edge just below the least value prints like it: the bin above holds that one value.
    lowest = "<" if ends[:2] == [ends[0]] * 2 else "<="
    inner = [
        f"{column.name} = {b}" if a == b else f"{column.name} in ({a}, {b}]"
        for a, b in itertools.pairwise(ends)
    ]
    return [f"{column.name} {lowest} {ends[0]}", *inner, f"{column.name} > {ends[-1]}"]


def _contributors(reference: ColumnProfile, current: ColumnProfile, table: Rows) -> list[Finding]:
    """The bins that changed most, as shares before and now.

    Ranked by the symmetric divergence, which sees what vanished as well as what came.
    """
    ours, theirs = (
        np.array([*_values(column), column.missing], np.float64) for column in (current, reference)
    )
    names = [*_names(reference), f"{reference.name} missing"]
    before, now = theirs / theirs.sum(), ours / ours.sum()
    p, q = shares(ours, theirs)
    weight = (p - q) * np.log(p / q)
    order = [i for i in np.argsort(-weight, kind="stable")[:_TOLD] if before[i] != now[i]]
    return [
        Finding(
            what=f"`{names[i]}` {'rose' if now[i] > before[i] else 'fell'} "
            f"from {100 * before[i]:.3g} to {100 * now[i]:.3g} %",
            where=f"{table.dataset.name}, column {reference.name!r}",
        )
        for i in order
    ]


def _news(reference: ColumnProfile, current: ColumnProfile, table: Rows) -> list[Finding]:
    """What the reference never had: missing values, texts that it would have listed."""
    where = f"{table.dataset.name}, column {reference.name!r}"
    findings = []
    if current.missing and not reference.missing:
        count = f"{current.missing} of {table.rows} values are missing"
        findings.append(Finding(what=f"`{reference.name}`: {count}, none was before", where=where))
    if current.other and not reference.other and reference.kind == "string":
        most = ", ".join(
            f"{value!r} ({n})" for value, n in table.unlisted(reference.name, reference.values)
        )
        count = f"{current.other} rows hold a value never seen before: {most}"
        findings.append(Finding(what=f"`{reference.name}`: {count}", where=where))
    return findings


def _new_columns(profile: Profile, table: Rows) -> list[Finding]:
    known = {column.name for column in profile.columns}
    return [
        Finding(
            what=f"column {column.name!r} is not in the profile and was not compared",
            where=table.dataset.name,
            hint="make the profile again to include it",
        )
        for column in table.columns
        if column.name not in known
    ]

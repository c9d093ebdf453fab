"""What is told of a comparison: which columns moved and how, and what was never there before?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.data.drift.comparable import TOLD, bounded
from seatrial.data.drift.words import clause, numbers, settles
from seatrial.outcome import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seatrial.data.drift.compared import Compared
    from seatrial.data.drift.judging import Drift
    from seatrial.data.drift.pairs import Pair

    Parts = Sequence[Compared]
    """One column on all rows and in slices, those with one verdict; all rows come first."""

AGAIN = "if it is as it should be, make the baseline again from these rows"


def told(drift: Drift) -> Iterator[Finding]:
    """One finding for each column that moved, the farthest first; one for all that is open."""
    moved, unsettled = by_column(drift.compared)
    findings = (_moved(parts, drift) for parts in moved)
    yield from bounded(findings, len(moved), "columns moved", drift.dataset)
    if unsettled:
        yield from _open(unsettled, drift)


def by_column(found: Sequence[Compared]) -> tuple[list[Parts], list[Parts]]:
    """The columns that moved, on all rows or in slices, and others that are not settled there.

    What moved farthest comes first.
    """
    moved = _grouped(each for each in found if each.measure.verdict is Verdict.FAIL)
    names = {parts[0].pair.reference.name for parts in moved}
    unsettled = (each for each in found if each.measure.verdict is Verdict.INCONCLUSIVE)
    return moved, _grouped(e for e in unsettled if e.pair.reference.name not in names)


def _grouped(found: Iterable[Compared]) -> list[Parts]:
    groups: dict[str, list[Compared]] = {}
    for each in found:
        groups.setdefault(each.pair.reference.name, []).append(each)
    for parts in groups.values():
        parts.sort(key=lambda each: (each.pair.within is not None, -each.reach))
    return sorted(groups.values(), key=lambda parts: -max(each.reach for each in parts))


def what_changed(parts: Parts) -> str:
    """The bins of the first that changed most, and in which other slices something did."""
    first, *others = parts
    said = [clause(first)]
    if others:
        most = max(others, key=lambda each: each.reach)
        more = ""
        if len(others) > 1:
            more = f" and {len(others) - 1} more slice{'s' * (len(others) > 2)}"  # noqa: PLR2004
        said.append(f"also{most.name.removeprefix(first.pair.reference.name)}{more}")
    return "; ".join(part for part in said if part)


def _moved(parts: Parts, drift: Drift) -> Finding:
    first = parts[0]
    why = what_changed(parts)
    return Finding(
        what=f"`{first.name}` moved by {numbers(first.measure, drift.divergence)}"
        + (f": {why}" if why else ""),
        where=f"{drift.dataset}, column {first.pair.reference.name!r}",
        hint=other_unit(first.pair) or AGAIN,
    )


def other_unit(pair: Pair) -> str:
    """Mean and deviation that grew by the same factor look like another unit; empty if not so."""
    now, before = pair.current, pair.reference
    if not (now.mean and before.mean and now.deviation and before.deviation):
        return ""
    factor, spread = now.mean / before.mean, now.deviation / before.deviation
    same = 0.9 < factor / spread < 1.1  # noqa: PLR2004 - about the same factor
    if not same or 1 / 3 < factor < 3:  # noqa: PLR2004 - a smaller one may well be drift
        return ""
    times = f"{factor:.3g} times" if factor > 1 else f"1/{1 / factor:.3g} of"
    return f"mean and spread are {times} what they were: is it in another unit?"


def _open(columns: Sequence[Parts], drift: Drift) -> Iterator[Finding]:
    """What is not settled: one by one where it may have moved, the rest together."""
    every = [each for parts in columns for each in parts]
    hint = settles(every, drift.rows)
    maybe = [parts[0] for parts in columns if parts[0].reach > 1][:TOLD]
    for each in maybe:
        why = clause(each)
        yield Finding(
            what=f"`{each.name}` may have moved, by {numbers(each.measure, drift.divergence)}"
            + (f": {why}" if why else ""),
            where=f"{drift.dataset}, column {each.pair.reference.name!r}",
            hint=hint,
        )
    told_of = {each.name for each in maybe}
    rest = [each for each in every if each.name not in told_of]
    if rest:
        names = listed([_between(each) for each in rest], 6)
        it = "is" if len(rest) == 1 else "are"
        what = f"{len(rest)} {it} not settled: {names}"
        yield Finding(what=what, where=drift.dataset, hint=hint)


def _between(each: Compared) -> str:
    if each.measure.value is None:
        return f"{each.name} (no rows)"
    return f"{each.name} ({each.measure.low:.2g} to {each.measure.high:.2g})"


def news(pairs: Sequence[Pair], dataset: str) -> Iterator[Finding]:
    """What the reference never had, anywhere: missing values, NaN, infinities, unheard-of texts."""
    whole = [pair for pair in pairs if pair.within is None]
    found = [(pair, text) for pair in whole for text in _unheard(pair)]
    findings = (
        Finding(
            what=f"`{pair.reference.name}`: {text}",
            where=f"{dataset}, column {pair.reference.name!r}",
        )
        for pair, text in found
    )
    return bounded(findings, len(found), "findings of what was never there before", dataset)


def _unheard(pair: Pair) -> Iterator[str]:
    now, before, rows = pair.current, pair.reference, pair.rows[0]
    if now.nans and not before.nans:
        yield f"{now.nans} of {rows} values are NaN, none was before"
    elif now.missing and not before.missing:
        yield f"{now.missing} of {rows} values are missing, none was before"
    if now.infinities and not before.infinities:
        yield f"{now.infinities} of {rows} values are infinite, none was before"
    if now.other and not before.other and before.counts:
        most = ", ".join(f"{value!r} ({count})" for value, count in pair.unlisted)
        said = f"{now.other} of {rows} rows hold a value never seen before"
        yield said + (f": {most}" if most else "")

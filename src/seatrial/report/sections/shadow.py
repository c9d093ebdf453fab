"""How the candidate did beside production: disagreement and errors over time, service times."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.evidence import rates
from seatrial.evidence.agreement import Tally
from seatrial.evidence.course import Course, together
from seatrial.evidence.shadowing import over_time
from seatrial.registry import shadows
from seatrial.report._number import number
from seatrial.report.charts.course import Line, course
from seatrial.report.charts.histogram import histogram
from seatrial.report.headline import ends, minute
from seatrial.report.section import Facts, Note, Section, Table
from seatrial.report.sections._kept import every
from seatrial.report.sections._settled import NOT_DRAWN, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.registry.shadows import Shadow
    from seatrial.report.section import Part
    from seatrial.report.sections import Sources

PER_OCTAVE = 8
"""Bins of service times between a time and its double."""

QUANTILES = (0.5, 0.95, 0.99)


class _OverTime(msgspec.Struct, frozen=True):
    at: tuple[str, ...]
    reached: tuple[int, ...]
    failed: tuple[int, ...]
    compared: tuple[int, ...]
    disagreed: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class _Offline(msgspec.Struct, frozen=True):
    disagreement: float
    disagreement_margin: float
    rows: int


class _Limits(msgspec.Struct, frozen=True):
    errors: float


class Kept(msgspec.Struct, frozen=True):
    """What is read of what a shadow test kept; ``course`` is missing in what older ones did."""

    candidate: int
    production: int
    since: str
    until: str
    share_percent: float
    tally: dict[str, Any]
    offline: _Offline
    limits: _Limits | None = None
    course: _OverTime | None = None


def section(sources: Sources) -> Section | None:
    """Every shadow test of the run: those that ended, and the one that is under way."""
    parts: list[Part] = []
    for address, found in every(sources, "shadow", Kept, "The shadow test"):
        parts += [found] if isinstance(found, Note) else _parts(address, found)
    for shadow in shadows.wanted(sources.project.ledger):
        if shadow.run == sources.account.run.id:
            parts += _under_way(sources, shadow)
    return Section(anchor="shadow", title="Shadow test", parts=tuple(parts)) if parts else None


def _under_way(sources: Sources, shadow: Shadow) -> Iterator[Part]:
    """What the gateways have told so far, drawn as it will be at the end."""
    told = [each.document for each in shadows.tallies(sources.project.ledger, shadow.id)]
    counted = together(Course.from_json(each.get("course")) for each in told)
    yield Note(f"Under way until {minute(shadow.until)} (UTC): this is what was counted so far.")
    kept = {
        "candidate": shadow.version,
        "production": shadow.against,
        "since": shadow.opened,
        "until": shadow.until,
        "share_percent": shadow.share_percent,
        "tally": sum(map(Tally.from_json, told), Tally()).to_json(),
        "offline": shadow.spec,
        "course": over_time(counted),
    }
    try:
        found = msgspec.convert(kept, Kept)
    except msgspec.ValidationError:
        yield Note("It was opened by another release of seatrial, and cannot be drawn.")
        return
    yield from _parts(shadow.id.removeprefix(f"{shadow.run}/"), found)


def _parts(address: str, found: Kept) -> Iterator[Part]:
    tally = Tally.from_json(found.tally)
    yield _facts(address, found, tally)
    if found.course is not None and found.course.at:
        yield from _over_time(address, found, found.course)
    else:
        yield Note(f"How it went over time was not kept ({address}): only its totals are known.")
    yield from _times(address, tally)
    if tally.reasons:
        yield Table(
            heads=("why the candidate failed", "requests"),
            rows=tuple((reason, str(count)) for reason, count in tally.reasons.items()),
            numbers=frozenset({1}),
        )


def _facts(address: str, found: Kept, tally: Tally) -> Facts:
    """What was compared, and what was not."""
    since, until = ends(found.since, found.until)
    return Facts(
        (
            ("task", address),
            ("candidate", f"version {found.candidate}"),
            ("production", f"version {found.production}"),
            ("from (UTC)", since),
            ("to (UTC)", until),
            ("asked of it", f"{found.share_percent:g} % of the requests"),
            ("requests", str(tally.requests)),
            ("drawn", str(tally.sampled)),
            ("answered or failed", str(tally.reached)),
            ("compared", str(tally.compared)),
            ("errors", str(tally.errors)),
            ("answered with NaN or infinity", str(tally.nan)),
            ("overwritten before they were read", str(tally.lost)),
            ("too big to be kept", str(tally.too_big)),
            ("reached more than 30 s late", str(tally.late)),
            ("answered otherwise by production itself, asked again", str(tally.unlike)),
            ("memory of the candidate", f"{number(tally.memory_mb)} MB"),
        )
    )


def _over_time(address: str, found: Kept, told: _OverTime) -> Iterator[Part]:
    """Where nothing was counted yet there is a gap."""
    first = settled(told.compared)
    apart = _shares(told.disagreed, told.compared)
    low, high = (
        [each if n else None for each, n in zip(bound, told.compared, strict=True)]
        for bound in (told.low, told.high)
    )
    line = Line(name="disagreement", values=apart[first:], low=low[first:], high=high[first:])
    offline = found.offline.disagreement
    limits = [("limit", offline + found.offline.disagreement_margin), ("offline", offline)]
    title = f"disagreement with production over time ({address})"
    y = "share of the requests compared so far"
    yield course(title, y, told.at[first:], [line], limits)
    yield Note(
        "The bounds are those of one look at that moment, one-sided 95 % each; the last decides."
        f" The limit is what was seen on {found.offline.rows} evaluation rows, and the margin."
        + (f" {NOT_DRAWN}" if first else "")
    )
    errors = Line(
        name="errors",
        values=_shares(told.failed, told.reached)[first:],
        **_bounds(told.failed[first:], told.reached[first:]),
    )
    bars = [] if found.limits is None else [("limit", found.limits.errors)]
    title = f"errors over time, NaN included ({address})"
    y = "share of the requests that reached the candidate so far"
    yield course(title, y, told.at[first:], [errors], bars)


def _shares(counts: Sequence[float], of: Sequence[int]) -> list[float | None]:
    return [count / n if n else None for count, n in zip(counts, of, strict=True)]


def _bounds(counts: Sequence[int], of: Sequence[int]) -> dict[str, list[float | None]]:
    """Those by which it is judged, of one look at each moment."""
    found = [
        rates.of_one(count, n) if n else (None, None) for count, n in zip(counts, of, strict=True)
    ]
    return {"low": [low for low, _ in found], "high": [high for _, high in found]}


def _times(address: str, tally: Tally) -> Iterator[Part]:
    """How long both took for one request, in the same process and in turn."""
    mine, served = tally.candidate_us, tally.production_us
    places = [*mine.counts, *served.counts]
    if not places:
        return
    bins = range(min(places), max(places) + 1)
    edges = [2 ** (place / PER_OCTAVE) / 1000 for place in (*bins, bins.stop)]
    yield histogram(
        f"service time in ms, on a logarithmic scale ({address})",
        [f"{number(a)} to {number(b)} ms" for a, b in itertools.pairwise(edges)],
        [served.counts.get(place, 0) for place in bins],
        [mine.counts.get(place, 0) for place in bins],
        edges,
        series=("production", "candidate"),
    )
    both = [("candidate", mine), ("production", served)]
    yield Table(
        heads=("service time, ms", *(f"p{100 * share:g}" for share in QUANTILES), "requests"),
        rows=tuple(
            (name, *(number(of.quantile(share) / 1000) for share in QUANTILES), str(of.n))
            for name, of in both
            if of.n
        ),
        numbers=frozenset({1, 2, 3, 4}),
    )

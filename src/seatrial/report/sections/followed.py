"""What became of the version that the run delivered: its watches, and their evidence over time."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.errors import StoreError
from seatrial.registry import watches
from seatrial.registry.opened import signature_of
from seatrial.registry.policy import Policy
from seatrial.registry.rules import BUCKETS, Rules
from seatrial.registry.trails import Course, Evidence, over_time
from seatrial.report._number import number
from seatrial.report.charts.course import Line, course
from seatrial.report.headline import ends
from seatrial.report.section import Badge, Facts, Note, Section
from seatrial.report.sections._kept import read
from seatrial.report.sections._settled import NOT_DRAWN, settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.evidence.watching import Judged
    from seatrial.registry.watches import Watch
    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

Trails = dict[str, Any] | None

AGAINST = {
    "eager": ("worse", "no worse"),
    "balanced": ("worse_than_half_margin", "at most half the margin worse"),
    "strict": ("worse_than_margin", "within the margin"),
}
"""By the rule of a watch: the evidence that rolls back, and what it speaks against."""

SPOKEN = {
    "quality": ("worse than the version before", "difference, in the unit of the loss", "labels"),
    "promised": ("its own mean loss", "mean loss", "labels"),
    "differing": (
        "answers that differ from the version before",
        "share of the answers",
        "answers compared",
    ),
}


class Kept(msgspec.Struct, frozen=True):
    """What is read of what a watch kept at its end."""

    trails: dict[str, Trails] | None = None
    coverage_percent: float | None = None
    unscored: int = 0
    unpaired: str = ""
    guardrail: str = ""


def section(sources: Sources) -> Section | None:
    """Every watch of that version, oldest first; nothing where it was never watched."""
    model = sources.account.document["model"]
    if model is None:
        return None
    found = watches.of_version(sources.project.ledger, model["name"], model["version"])
    parts = tuple(part for watch in found for part in _parts(sources, watch))
    return Section(anchor="watch", title="After delivery", parts=parts) if parts else None


def _parts(sources: Sources, watch: Watch) -> Iterator[Part]:
    kept = _kept(sources, watch)
    yield Facts(tuple(_facts(watch, kept)))
    if isinstance(kept, Note):
        yield kept
        return
    if kept.unpaired:
        yield Note(f"Labels were not compared: {kept.unpaired}.")
    if kept.trails is None:
        return
    try:
        policy = Policy.from_json(watch.policy)
        version = sources.project.registry.version(watch.model, watch.version)
        classes = len(signature_of(sources.project.registry, version).classes)
        evidence = Evidence.from_json(kept.trails)
        told = over_time(evidence, Rules.of(policy, classes), policy, watch.opened)
    except StoreError as error:
        what = error.mistakes[0].what
        yield Note(f"Its evidence cannot be shown any more: {what}.", gone=True)
        return
    except (KeyError, TypeError, ValueError):
        yield Note("Its evidence was kept by another release of seatrial in a form of its own.")
        return
    ended = datetime.fromisoformat(watch.closed) if watch.closed else sources.project.ledger.clock()
    for each in told:
        yield from _drawn(each, ended, policy.hours / BUCKETS * 3600)
    if told:
        yield Note(
            "Each label counts at the time of its request. The bounds hold at all looks together"
            " with 95 % each, however often one looked; so is proven what reaches its bar."
            + (f" {NOT_DRAWN}" if any(map(_first, told)) else "")
        )


def _facts(watch: Watch, kept: Kept | Note) -> Iterator[tuple[str, Cell]]:
    yield "watch", watch.id
    yield "compared with", f"version {watch.against}"
    since, until = ends(watch.opened, watch.closed or watch.until)
    yield "from (UTC)", since
    yield "until (UTC)", until if watch.closed else f"{until} (under way)"
    yield "state", Badge(str(watch.state))
    if watch.reason:
        yield "because", watch.reason
    if isinstance(kept, Note):
        return
    if kept.guardrail:
        yield "guardrail", kept.guardrail
    if kept.coverage_percent is not None:
        yield "answers that got a label", f"{number(kept.coverage_percent)} %"
    if kept.unscored:
        yield "labelled rows that could not be scored", str(kept.unscored)


def _kept(sources: Sources, watch: Watch) -> Kept | Note:
    """What its end rests on; of one that lasts, or that was cut short, what places have seen."""
    ledger = sources.project.ledger
    ends = (e.body for e in ledger.events("watch_closed") if e.body["watch"] == watch.id)
    digest = next((str(body["evidence"]) for body in ends if body.get("evidence")), None)
    if digest is not None:
        what = f"The evidence of the watch {watch.id}"
        return read(sources.kept(digest, f"the watch {watch.id}"), Kept, what)
    seen = [each["evidence"] for each in watches.trails(ledger, watch.id).values()]
    return Kept(trails=_together(seen)) if seen else Kept()


def _together(seen: list[Mapping[str, Any]]) -> dict[str, Trails]:
    whole = Evidence.from_json(seen[0])
    for each in seen[1:]:
        whole += Evidence.from_json(each)
    return whole.to_json()


def _drawn(of: Course, ended: datetime, span_s: float) -> Iterator[Part]:
    """The mean with its bounds against the margin, and the evidence against its bars.

    The span in which the watch ``ended``, or that lasts, is drawn no further than it has come:
    all take ``span_s`` seconds.
    """
    title, y, counted = SPOKEN[of.which]
    first = _first(of)
    known = of.judged[first:]
    times = [min(datetime.fromisoformat(each), ended).isoformat() for each in of.times[first:]]
    measures = [each.measure for each in known]
    line = Line(
        name=measures[-1].name,
        values=[each.value for each in measures],
        low=[each.low for each in measures],
        high=[each.high for each in measures],
    )
    limit = "margin" if of.which == "quality" else "limit"
    title = f"{title} ({measures[-1].n} {counted})"
    yield course(title, y, times, [line], [(limit, of.rule.margin)], span_s=span_s)
    lines, bars = _evidence(of, known)
    yield course(f"evidence: {title}", "log10 of the e-value", times, lines, bars, span_s=span_s)


def _first(of: Course) -> int:
    return settled([each.measure.n for each in of.judged])


def _evidence(of: Course, known: Sequence[Judged]) -> tuple[list[Line], list[tuple[str, float]]]:
    """For harm, and of quality for harmlessness too; what reaches its bar is proven."""
    key, spoken = AGAINST[of.rule.mode]
    if of.which != "quality":
        spoken = "within the limit"
    lines = [Line(name=f"against {spoken}", values=[_log10(e.log_e[key]) for e in known])]
    bars = [("bar", round(_log10(of.rule.bar), 3))]
    if of.which == "quality":
        good = [_log10(each.log_e["within_margin"]) for each in known]
        lines.append(Line(name="for within the margin", values=good))
        if of.rule.tests > 1:
            bars.append(("bar of a pass", round(-math.log10(of.rule.alpha), 3)))
    return lines, bars


def _log10(log: float) -> float:
    return log / math.log(10)

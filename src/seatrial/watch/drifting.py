"""Every full hour of live traffic, held against the training data of the version that answered.

It only tells: nothing here passes a version or rolls one back. Killed at any point, it goes on
where it was: what was found of an hour is written in one transaction, and once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.data.profiles.profile import decode
from seatrial.errors import SeatrialError, StoreError
from seatrial.registry import drifts
from seatrial.registry.registry import PRODUCTION
from seatrial.review import items
from seatrial.traffic.hourly import counted
from seatrial.traffic.span import HOUR, oldest
from seatrial.watch import moved_question
from seatrial.watch.counts import columns_of, document
from seatrial.watch.due_hours import due
from seatrial.watch.moved import DAY, Episode, episode_of, follow, judged, of_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seatrial.data.drift.limits import Limits
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile
    from seatrial.ledger.store import Transaction
    from seatrial.registry.drifts import Hour
    from seatrial.registry.project import Project
    from seatrial.traffic.hourly import Counted
    from seatrial.traffic.span import Span
    from seatrial.watch.moved import Judged, Next


@dataclass(frozen=True, slots=True)
class Demand:
    """What the pipeline of a model demands of distributions, and how long people have to answer."""

    limits: Limits
    review_hours: float


def judge_hours(
    project: Project,
    demand: Callable[[str], Demand],
    may_go_on: Callable[[], bool] = lambda: True,
) -> list[Hour]:
    """Judge what is due, oldest first, and give what was written.

    ``demand`` is that of a model. What is in the way of one version, a damaged profile say, is not
    in the way of others: it is raised when they are done, and what was written stays.
    """
    written: list[Hour] = []
    stuck: dict[tuple[str, int], SeatrialError] = {}
    for span in due(project):
        if not may_go_on():
            break
        if (span.model, span.version) in stuck:
            continue
        try:
            found = judge_hour(project, span, demand(span.model))
        except SeatrialError as error:
            stuck[span.model, span.version] = error
        else:
            written += [found] if found is not None else []
    for first in stuck.values():
        raise first
    return written


def judge_hour(project: Project, span: Span, demand: Demand) -> Hour | None:
    """Count one hour, judge it, and write it down; None when somebody else did so first."""
    digest = drifts.profile_of(project.registry, span.model, span.version)
    if digest is None:
        return None
    blobs, limits = project.registry.blobs, demand.limits
    reference = decode(blobs.get(digest, of=f"{span.model} version {span.version}"))
    shapes = [column.shape for column in reference.columns]
    counts = counted(project.workspace.traffic, span, shapes)
    earlier = drifts.between(
        project.ledger, span.model, span.version, span.hour - DAY + HOUR, span.hour
    )
    hours = [(counts.rows, list(counts.columns)), *_kept(project, earlier, reference)]
    alone = judged(reference, counts.columns, limits)
    day = of_day(reference, [columns for _, columns in hours], limits)
    rows = sum(n for n, _ in hours)
    before = drifts.latest(project.ledger, span.model, span.version, before=span.hour)
    serving = project.registry.channel(span.model, PRODUCTION)
    serves = serving is not None and serving.version == span.version
    state = follow(_episode(before), span.hour, day.verdict, day.moved, serves=serves)
    body = {
        "rows": counts.rows,
        "measure": limits.measure,
        "unit": limits.divergence.unit,
        "columns": alone.to_json(),
        "unlogged": list(counts.unlogged),
        "reference": digest,
        "counts": _put(project, document(counts.rows, counts.columns)),
        "day": {
            "verdict": str(day.verdict),
            "rows": rows,
            "hours": sum(bool(n) for n, _ in hours),
            "columns": day.to_json(),
            "moved": list(day.moved),
            "alone": sorted(day.alone),
            "evidence": _evidence(project, day, hours, digest),
        },
        "episode": None if state.episode is None else asdict(state.episode),
        "note": _note(project, span, counts),
    }
    return _write(project, span, alone, body, state, demand)


def _write(
    project: Project,
    span: Span,
    alone: Judged,
    body: Mapping[str, Any],
    state: Next,
    demand: Demand,
) -> Hour | None:
    """In one transaction: what was found, and what is asked or need not be asked any more."""
    # What msgspec makes of it is what JSON can say: the same as is read back.
    said = msgspec.json.decode(msgspec.json.encode(body))

    def change(transaction: Transaction) -> bool:
        place = span.model, span.version, span.hour
        if not drifts.record(transaction, *place, str(alone.verdict), said):
            return False
        if state.ask and state.episode is not None:
            asked = moved_question.question(span, said, state.episode, demand.review_hours)
            items.ask(transaction, asked)
        if state.over:
            subject = moved_question.subject(span.model, span.version)
            items.close(transaction, moved_question.KIND, subject, moved_question.CALM)
        return True

    if not project.ledger.write(change):
        return None
    end = span.hour + HOUR
    return drifts.latest(project.ledger, span.model, span.version, before=end)


def _kept(
    project: Project, earlier: Sequence[Hour], reference: Profile
) -> list[tuple[int, list[ColumnProfile]]]:
    """The rows and counts of hours that were judged before; what is gone or damaged is left out."""
    found = []
    for hour in earlier:
        try:
            told = msgspec.json.decode(project.registry.blobs.get(str(hour.body["counts"])))
        except StoreError:
            continue
        found.append((int(told["rows"]), columns_of(told, reference)))
    return found


def _episode(before: Hour | None) -> Episode | None:
    return None if before is None else episode_of(before.body["episode"])


def _evidence(
    project: Project,
    day: Judged,
    hours: Sequence[tuple[int, list[ColumnProfile]]],
    reference: str,
) -> str | None:
    """The sum that something moved in, kept for good: the traffic does not last."""
    if not day.moved:
        return None
    total = document(sum(n for n, _ in hours), [each.pair.current for each in day.columns])
    numbers = day.to_json(most=len(day.columns))
    return _put(project, {**total, "reference": reference, "measures": numbers})


def _put(project: Project, told: Mapping[str, Any]) -> str:
    return project.registry.blobs.put(msgspec.json.encode(told))


def _note(project: Project, span: Span, counts: Counted) -> str:
    """What is not in the counts, in one sentence; empty when nothing is missing."""
    said = []
    if counts.damaged:
        said.append(f"left out, because damaged: {'; '.join(counts.damaged)}")
    last = drifts.latest(project.ledger, span.model, before=span.hour)
    kept = oldest(project.workspace.traffic, span.model)
    # Files go by age and size, the oldest first: were there one of the hour that was judged
    # last, nothing after it would be gone.
    if last is not None and kept is not None and kept > last.begin:
        since = last.begin + HOUR
        what = "this hour may be counted in part"
        if kept > since:
            what = f"hours from {since:%Y-%m-%dT%HZ} to {kept:%Y-%m-%dT%HZ} were not counted"
        said.append(f"older files of the log are gone (keep_days, keep_gb): {what}")
    return "; ".join(said)

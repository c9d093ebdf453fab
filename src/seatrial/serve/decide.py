"""What a scheduler does now, from what it knows: no clock, no ledger, no process in here."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from seatrial.ledger.firings import State as Fate
from seatrial.pipeline.times import missed, next_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.pipeline import Pipeline

LATE = timedelta(minutes=2)
"""A time that passed longer ago counts as missed; until then it is fired late."""

LOOK_BACK = timedelta(days=366)
"""Older times are not counted: a clock that was wrong by decades must not cost minutes."""

JOBS = 2
"""How many jobs are at work at once; of one pipeline there is only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What became of a pipeline's times so far.

    Every time up to ``since`` is decided. ``under_way`` is its run that is performed or waits,
    ``unstarted`` a time that was fired and whose run has yet to begin, ``queued`` one that waits
    for the run under way.
    """

    since: datetime
    under_way: str | None = None
    unstarted: datetime | None = None
    queued: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a scheduler sees in one look.

    ``owed`` are runs that somebody must go on with, and their pipelines: a wait is over, or the
    job died. ``busy`` are pipelines that a job is at work for. ``paused`` are the subjects of
    jobs that failed a moment ago.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    owed: tuple[tuple[str, str], ...] = ()
    busy: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Record:
    """Note what becomes of a time, unless another scheduler did; then cancel ``replaces``."""

    pipeline: str
    time: datetime
    fate: Fate
    reason: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """What the queued time waited for is over."""

    pipeline: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Replace:
    """Cancel a run for a newer time, because the scheduler that fired it died before that."""

    pipeline: str
    run: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Start:
    """Begin the run of a time that was fired."""

    pipeline: str
    time: datetime

    @property
    def subject(self) -> str:
        """What is tried: this time's run."""
        return f"{self.pipeline} {self.time.isoformat()}"


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with a run."""

    pipeline: str
    run: str

    @property
    def subject(self) -> str:
        """What is tried: this run."""
        return self.run


Action: TypeAlias = Record | Release | Replace | Start | Resume


def decide(now: datetime, pipelines: Mapping[str, Pipeline], state: State) -> list[Action]:
    """What to do, in this order; a pipeline that is not in ``state.known`` is left alone."""
    actions: list[Action] = []
    for name, pipeline in pipelines.items():
        if name in state.known:
            actions += _times(now, pipeline, state.known[name], busy=name in state.busy)
    return [*actions, *_jobs(pipelines, state)]


def next_time(pipeline: Pipeline, since: datetime) -> datetime | None:
    """The first time after ``since``."""
    if pipeline.schedule is None:
        return None
    return _first(pipeline.schedule, pipeline.timezone, since)


@functools.lru_cache(maxsize=256)
def _first(schedule: str, timezone: str, since: datetime) -> datetime:
    return next_times(schedule, timezone, since, 1)[0]


def _times(
    now: datetime, pipeline: Pipeline, known: Known, *, busy: bool
) -> Iterator[Record | Release | Replace]:
    """What becomes of the times that have come, and of the one that is queued."""
    before = f"run {known.under_way}" if known.under_way else ""
    if known.unstarted is not None:
        before = f"the run of {_said(known.unstarted)}"
        # while a job is at work, what is under way may be the very run of that time
        if known.under_way and pipeline.overlap == "replace" and not busy:
            yield Replace(pipeline.name, known.under_way, known.unstarted)
    queued = known.queued
    if queued is not None and not before:
        yield Release(pipeline.name, queued)
        before, queued = f"the run of {_said(queued)}", None
    for time, why in _come(now, pipeline, known.since):
        if why is not None:
            yield Record(pipeline.name, time, Fate.SKIPPED, why)
        elif not before:
            yield Record(pipeline.name, time, Fate.FIRED)
            before = f"the run of {_said(time)}"
        elif pipeline.overlap == "replace" and before == f"run {known.under_way}":
            yield Record(pipeline.name, time, Fate.FIRED, replaces=known.under_way)
            before = f"the run of {_said(time)}"
        elif pipeline.overlap == "queue" and queued is None:
            yield Record(pipeline.name, time, Fate.QUEUED, f"{before} has not ended")
            queued = time
        elif queued is not None:
            reason = f"{before} has not ended, and that of {_said(queued)} is queued"
            yield Record(pipeline.name, time, Fate.SKIPPED, reason)
        else:
            yield Record(pipeline.name, time, Fate.SKIPPED, f"{before} has not ended")


def _come(
    now: datetime, pipeline: Pipeline, since: datetime
) -> Iterator[tuple[datetime, str | None]]:
    """The times since then that must be decided, each with why it is skipped, if it is.

    Of those that were missed only the last is told; it stands for all of them.
    """
    since = max(since, now - LOOK_BACK)
    first = next_time(pipeline, since)
    if first is None or pipeline.schedule is None or first > now:
        return
    times = missed(pipeline.schedule, pipeline.timezone, since, now)
    late = [time for time in times if now - time > LATE]
    in_time = times[len(late) :]
    if late:
        others = f", as did {len(late) - 1} before it" if len(late) > 1 else ""
        why = f"it passed while no scheduler was running{others}"
        yield late[-1], why if in_time or pipeline.catch_up == "skip" else None
    for time in in_time:
        yield time, None


def _jobs(pipelines: Mapping[str, Pipeline], state: State) -> Iterator[Start | Resume]:
    """The jobs to be started, as far as there is room."""
    wanted: list[Start | Resume] = [Resume(pipeline, run) for pipeline, run in state.owed]
    wanted += [
        Start(name, known.unstarted)
        for name, known in state.known.items()
        if known.unstarted is not None and not known.under_way and name in pipelines
    ]
    busy = set(state.busy)
    for job in wanted:
        if len(busy) < JOBS and job.pipeline not in busy and job.subject not in state.paused:
            busy.add(job.pipeline)
            yield job


def _said(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"

"""What a scheduler sees in the ledger: what became of each pipeline's times, and who is owed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from seatrial.ledger import firings, overlaps, runs
from seatrial.ledger.runs import State as RunState
from seatrial.serve import jobs
from seatrial.serve.decide import Known, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.ledger.runs import Step
    from seatrial.ledger.store import Ledger
    from seatrial.pipeline import Pipeline
    from seatrial.registry.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look; ``waits`` are runs whose wait is over, ``orphans`` may lack somebody at work."""

    known: Mapping[str, Known]
    waits: tuple[tuple[str, str], ...]
    orphans: tuple[tuple[str, str], ...]
    deadlines: tuple[datetime, ...]

    def state(self, busy: frozenset[str], paused: frozenset[str]) -> State:
        """What is to be decided on; who is busy is looked up after the ledger was read."""
        owed = tuple(item for item in (*self.waits, *self.orphans) if item[0] not in busy)
        return State(known=self.known, owed=owed, busy=busy, paused=paused)


def look(project: Project, pipelines: Mapping[str, Pipeline], now: datetime) -> Seen:
    """Read what stands now; a schedule that is seen for the first time is noted."""
    ledger = project.ledger
    busy, left = jobs.at_work(project.workspace.home), jobs.left_behind(project.workspace.home)
    unfinished = runs.unfinished(ledger)
    scheduled = firings.of_runs(ledger, [run.id for run in unfinished])
    waits: list[tuple[str, str]] = []
    orphans: list[tuple[str, str]] = []
    deadlines: list[datetime] = []
    under_way: dict[str, str] = {}
    for run in unfinished:
        if run.state not in {RunState.RUNNING, RunState.WAITING}:
            continue  # stopped, or in review: only a person or the next scheduled time goes on
        if run.engine != "embedded":
            # its engine comes back to it, and to what it waits for
            if overlaps.holding(ledger, run.id):
                under_way.setdefault(run.pipeline, run.id)
            continue
        steps = runs.steps(ledger, run.id)
        due = [*_due(steps)] if run.state is RunState.WAITING else []
        deadlines += due
        driven = run.pipeline in busy or _alive(steps, now)
        orphaned = run.state is RunState.RUNNING and (
            run.id in left or (run.id in scheduled and not driven)
        )
        if due and min(due) <= now:
            waits.append((run.pipeline, run.id))
        elif orphaned:
            orphans.append((run.pipeline, run.id))
        if run.state is RunState.WAITING or driven or orphaned:
            under_way.setdefault(run.pipeline, run.id)
    return Seen(
        known={
            name: _known(ledger, pipeline, under_way.get(name), now)
            for name, pipeline in pipelines.items()
        },
        waits=tuple(waits),
        orphans=tuple(orphans),
        deadlines=tuple(deadlines),
    )


def _known(ledger: Ledger, pipeline: Pipeline, under_way: str | None, now: datetime) -> Known:
    since = firings.seen(ledger, pipeline.name, pipeline.schedule, pipeline.timezone)
    # times after now were noted by a clock that was ahead; each is still noted only once
    last = firings.last(ledger, pipeline.name, until=now)
    unstarted = firings.unstarted(ledger, pipeline.name)
    queued = firings.queued(ledger, pipeline.name)
    return Known(
        since=max(since, last.time) if last else since,
        under_way=under_way,
        unstarted=unstarted.time if unstarted else None,
        queued=queued.time if queued else None,
    )


def _due(steps: Sequence[Step]) -> Iterator[datetime]:
    """When the waits of a run end."""
    for step in steps:
        if step.state == "waiting" and step.due:
            yield datetime.fromisoformat(step.due)


def _alive(steps: Sequence[Step], now: datetime) -> bool:
    """Whether somebody performs a step, on any machine: leases are prolonged while they do."""
    return any(
        step.state == "running"
        and step.lease_until is not None
        and datetime.fromisoformat(step.lease_until) > now
        for step in steps
    )

"""Begin a run for an engine: by its own run, by the pipeline's overlap, for a scheduled time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.engines._begin import begin_for
from seatrial.errors import FormError
from seatrial.ledger import firings, runs
from seatrial.ledger.firings import State
from seatrial.ledger.overlaps import Asked, Held

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.engines import Work
    from seatrial.ledger.firings import Firing
    from seatrial.ledger.runs import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What became of it.

    ``state`` is ``begun``, ``resumed`` (the run was there), ``skipped`` (there is no run, and
    none comes) or ``queued`` (ask again at ``until``); ``run`` is the run, or what holds it up.
    """

    state: str
    run: str | None
    until: datetime | None = None
    reason: str = ""

    @property
    def exit_code(self) -> int:
        """4 while another run is under way."""
        return 0 if self.state in {"begun", "resumed"} else 4


def begin_for_engine(work: Work, asked: Asked, time: datetime | None = None) -> Begun:
    """Begin the run, unless it is held up; ``time`` is the scheduled time that it is for.

    Raises :class:`FormError` on data that cannot be used; its run is recorded.
    """
    rival = _fired_by_another(work, asked, time)
    if rival is not None:
        said = f"{rival.by} has {rival.state} this time{f': run {rival.run}' if rival.run else ''}"
        return Begun(state="skipped", run=rival.run, reason=said)
    try:
        begun = begin_for(work, asked)
    except FormError:
        # data that cannot be used ends a run while it begins
        ended = next(r for r in runs.latest(work.project.ledger) if _same(r, work))
        _note(work, asked, time, State.FIRED, ended.id)
        raise
    if isinstance(begun, Held):
        return _held(work, asked, time, begun)
    run, resumed = begun
    _note(work, asked, time, State.FIRED, run.id)
    return Begun(state="resumed" if resumed else "begun", run=run.id)


def _held(work: Work, asked: Asked, time: datetime | None, held: Held) -> Begun:
    if asked.policy == "queue":
        return Begun(state="queued", run=held.run, until=held.until, reason=held.reason)
    _note(work, asked, time, State.SKIPPED, None, held.reason)
    return Begun(state="skipped", run=held.run, reason=held.reason)


def _fired_by_another(work: Work, asked: Asked, time: datetime | None) -> Firing | None:
    """What another scheduler did with that time: of one time there is one run."""
    if time is None:
        return None
    found = firings.get(work.project.ledger, work.plan.pipeline.name, time)
    return found if found is not None and found.by != _by(asked) else None


def _note(
    work: Work,
    asked: Asked,
    time: datetime | None,
    state: State,
    run: str | None,
    reason: str | None = None,
) -> None:
    if time is None:
        return
    ledger, name = work.project.ledger, work.plan.pipeline.name
    firings.fire(ledger, name, time, _by(asked), state=state, reason=reason)
    if run is not None:
        firings.settle(ledger, name, time, state, run)


def _by(asked: Asked) -> str:
    return f"{asked.engine} {asked.once or ''}".strip()


def _same(run: Run, work: Work) -> bool:
    return run.pipeline == work.plan.pipeline.name

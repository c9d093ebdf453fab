"""Begin a run for an engine: by its own run, by the pipeline's overlap, for a scheduled time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.engines._begin import begin_for
from seatrial.errors import SupersededError
from seatrial.ledger import firings
from seatrial.ledger.firings import State, Turn
from seatrial.ledger.overlaps import Asked, Held

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.engines import Work


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
    turn = None if time is None else Turn(time, _by(asked))
    rival = _fired_by_another(work, turn)  # before anything is read
    if rival is not None:
        return rival
    try:
        begun = begin_for(work, asked, turn)
    except SupersededError:
        rival = _fired_by_another(work, turn)
        if rival is None:
            raise
        return rival
    if isinstance(begun, Held):
        return _held(work, asked, turn, begun)
    run, resumed = begun
    return Begun(state="resumed" if resumed else "begun", run=run.id)


def _held(work: Work, asked: Asked, turn: Turn | None, held: Held) -> Begun:
    if asked.policy == "queue":
        return Begun(state="queued", run=held.run, until=held.until, reason=held.reason)
    if turn is not None:
        ledger, name = work.project.ledger, work.plan.pipeline.name
        firings.fire(ledger, name, turn.time, _by(asked), state=State.SKIPPED, reason=held.reason)
    return Begun(state="skipped", run=held.run, reason=held.reason)


def _fired_by_another(work: Work, turn: Turn | None) -> Begun | None:
    """What another scheduler did with that time: of one time there is one run."""
    if turn is None:
        return None
    found = firings.get(work.project.ledger, work.plan.pipeline.name, turn.time)
    if found is None or found.by == turn.by:
        return None
    said = f"{found.by} has {found.state} this time{f': run {found.run}' if found.run else ''}"
    return Begun(state="skipped", run=found.run, reason=said)


def _by(asked: Asked) -> str:
    return f"{asked.engine} {asked.once or ''}".strip()

"""The shadow processes: one for each shadow test under way, with a cell of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.evidence.course import Course, Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from seatrial.gateway.board import Board
    from seatrial.gateway.cells import Cells
    from seatrial.serve.child import Child
    from seatrial.serve.desired import Document

REPORT_S = 1.0
"""How often tallies go to the ledger."""

END_S = 1.0
"""How long a shadow process may take to end when its test is over."""

HANG_S = 30.0
"""A candidate that needs longer for one request hangs: its process is ended, and it is an error."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one shadow test has counted at this gateway so far, and its ``course`` in the tally."""

    shadow: str
    tally: dict[str, Any]


@dataclass(slots=True)
class _Running:
    identity: str
    child: Child
    slot: int
    reported_s: float = 0.0
    ends_s: float | None = None
    """When it is killed, if it was asked to end."""
    course: Course = field(default_factory=Course)
    """Kept here and not on the board: the process may die, and writes its cell at each request."""


class Shadowing:
    """Starts and ends shadow processes as tests open and close; ``start(id, slot)`` makes one."""

    def __init__(self, board: Board, cells: Cells, start: Callable[[str, int], Child]) -> None:
        self._board = board
        self._cells = cells
        self._start = start
        self._running: list[_Running] = []
        self._ended: list[Report] = []

    @property
    def children(self) -> list[Child]:
        """The processes."""
        return [running.child for running in self._running]

    def tend(self, now_s: float, wanted: Sequence[Document]) -> None:
        """Keep a process for every test under way, and none for others; nothing here waits."""
        identities = [each["id"] for each in wanted]
        for running in [*self._running]:
            if running.ends_s is not None:
                self._bury(running, now_s)
            elif running.identity not in identities:
                running.child.end()
                running.ends_s = now_s + END_S
            else:
                self._end_a_hang(running, now_s)
                running.child.tend(now_s)
        known = {running.identity for running in self._running}
        for identity in identities:
            if identity not in known:
                self._begin(identity)

    def _begin(self, identity: str) -> None:
        taken = {running.slot for running in self._running}
        free = [slot for slot in range(len(self._cells.shadows)) if slot not in taken]
        if free:  # else it begins when another test ends; what it missed counts as not reached
            self._running.append(_Running(identity, self._start(identity, free[0]), free[0]))

    def _bury(self, running: _Running, now_s: float) -> None:
        """Once its process has ended: its last report, and its place is free."""
        if not running.child.gone(within_s=0):
            if running.ends_s is not None and now_s > running.ends_s:
                running.child.kill()
            return
        self._running.remove(running)
        self._ended += self._report(running)
        self._board.write(self._cells.shadows[running.slot], {})

    def _end_a_hang(self, running: _Running, now_s: float) -> None:
        told = self._board.read(self._cells.shadows[running.slot]) or {}
        scoring = told.get("scoring")
        if not scoring or running.child.pid != told["pid"] or scoring["id"] is None:
            return
        if now_s - scoring["since_s"] > HANG_S:
            running.child.kill()

    def reports(self, now_s: float) -> Iterator[Report]:
        """Tallies that are due, and those of tests that have just ended."""
        yield from self._ended
        self._ended = []
        for running in self._running:
            if now_s - running.reported_s >= REPORT_S:
                running.reported_s = now_s
                yield from self._report(running)

    def last(self) -> list[Report]:
        """The tallies of all tests under way; to be asked when their processes have ended."""
        reports = [*self._ended]
        for running in self._running:
            reports += self._report(running)
        return reports

    def _report(self, running: _Running) -> list[Report]:
        told = self._board.read(self._cells.shadows[running.slot]) or {}
        if told.get("shadow") != running.identity:
            return []
        tally = told["tally"]
        running.course = running.course.later(Moment.of(told["beat_us"], tally))
        return [Report(running.identity, {**tally, "course": running.course.to_json()})]

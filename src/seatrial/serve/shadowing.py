"""The shadow processes: one for each shadow test under way, with a cell of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from seatrial.gateway.board import Board
    from seatrial.gateway.cells import Cells
    from seatrial.serve.child import Child
    from seatrial.serve.desired import Document

REPORT_S = 1.0
"""How often tallies go to the ledger."""

HANG_S = 30.0
"""A candidate that needs longer for one request hangs: its process is ended, and it is an error."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one shadow test has counted at this gateway so far."""

    shadow: str
    tally: dict[str, Any]


@dataclass(slots=True)
class _Running:
    child: Child
    slot: int
    reported_s: float = 0.0


class Shadowing:
    """Starts and ends shadow processes as tests open and close; ``start(id, slot)`` makes one."""

    def __init__(self, board: Board, cells: Cells, start: Callable[[str, int], Child]) -> None:
        self._board = board
        self._cells = cells
        self._start = start
        self._running: dict[str, _Running] = {}
        self._ended: list[Report] = []

    @property
    def children(self) -> list[Child]:
        """The processes."""
        return [running.child for running in self._running.values()]

    def tend(self, now: float, wanted: Sequence[Document]) -> None:
        """Keep a process for every test under way, and none for others."""
        identities = [each["id"] for each in wanted]
        for identity in [*self._running]:
            if identity not in identities:
                self._end(identity)
        for identity in identities:
            if identity not in self._running:
                self._begin(identity)
        for running in self._running.values():
            self._end_a_hang(running)
            running.child.tend(now)

    def _begin(self, identity: str) -> None:
        taken = {running.slot for running in self._running.values()}
        free = [slot for slot in range(len(self._cells.shadows)) if slot not in taken]
        if free:  # else it begins when another test ends; what it missed counts as not reached
            self._running[identity] = _Running(self._start(identity, free[0]), free[0])

    def _end(self, identity: str) -> None:
        running = self._running.pop(identity)
        running.child.end()
        if not running.child.gone(within_s=1.0):
            running.child.kill()
        self._ended += self._report(identity, running)
        self._board.write(self._cells.shadows[running.slot], {})

    def _end_a_hang(self, running: _Running) -> None:
        told = self._board.read(self._cells.shadows[running.slot]) or {}
        scoring = told.get("scoring")
        if not scoring or running.child.pid != told["pid"]:
            return
        if time.time() - scoring["since_us"] / 1e6 > HANG_S:
            running.child.kill()

    def reports(self, now: float) -> Iterator[Report]:
        """Tallies that are due, and those of tests that have just ended."""
        yield from self._ended
        self._ended = []
        for identity, running in self._running.items():
            if now - running.reported_s >= REPORT_S:
                running.reported_s = now
                yield from self._report(identity, running)

    def last(self) -> list[Report]:
        """The tallies of all tests under way, once their processes have ended."""
        for running in self._running.values():
            if not running.child.gone(within_s=0.5):
                running.child.kill()
        reports: list[Report] = []
        for identity, running in self._running.items():
            reports += self._report(identity, running)
        return reports

    def _report(self, identity: str, running: _Running) -> list[Report]:
        told = self._board.read(self._cells.shadows[running.slot]) or {}
        return [Report(identity, told["tally"])] if told.get("shadow") == identity else []

"""What a shadow test has counted at this gateway, so kept that no death of its process is lost.

Before the candidate is asked, its process writes into its cell of the board what it has counted,
how far it has read, and which request it is about to score: one document, so all of it is true
at the same moment. A process that finds such a request there knows that its predecessor did not
survive it, counts that as an error, and goes on behind it. Whatever was not written is read again.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seatrial.evidence.agreement import Tally
from seatrial.gateway.rivals import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.gateway.board import Board

ATTEMPTS = 3
"""So many processes may die while they open the candidate before it counts as broken."""

DIED = "its process died or hung while it answered"


@dataclass(slots=True)
class Account:
    """The cell of one shadow test; ``positions`` and ``too_big`` have a place for each ring."""

    board: Board
    cell: int
    shadow: str
    isolated: Mapping[str, object]
    now_us: Callable[[], int]
    tally: Tally = field(default_factory=Tally)
    positions: list[Any] = field(default_factory=list)
    """How far each ring was read; empty before the first reading."""
    too_big: int | None = None
    """What the rings had refused when the test began."""
    attempts: int = 0
    """Processes in a row that began to open the candidate and did not tell how that went."""
    broken: str = ""
    """Why the candidate cannot be opened."""
    lag: int = 0
    told_us: int = 0
    seen: int = 0
    sampled: int = 0
    late: int = 0
    """Counted since the last telling, and not yet in the tally: adding tallies up costs more."""
    scoring: bool = False
    """Whether the cell says that a request is being scored."""

    @classmethod
    def resume(
        cls,
        board: Board,
        cell: int,
        shadow: str,
        isolated: Mapping[str, object],
        now_us: Callable[[], int],
    ) -> Account:
        """Go on from what the predecessor wrote, or begin anew when this is another test's."""
        account = cls(board, cell, shadow, isolated, now_us)
        told = board.read(cell) or {}
        if told.get("shadow") != shadow:
            return account
        account.tally = Tally.from_json(told["tally"])
        account.positions = told["positions"]
        account.too_big = told["too_big"]
        account.attempts = told["attempts"]
        account.broken = told["broken"]
        if told["scoring"]:
            account.tally += failed(DIED)
        return account

    def opening(self) -> bool:
        """Write that the candidate is about to be opened; False when that killed too many."""
        if self.attempts >= ATTEMPTS:
            self.broken = f"{self.attempts} processes died while they opened it"
        if self.broken:
            return False
        self.attempts += 1
        # No time limit: on a full machine, an idle process may take minutes to load a great model.
        self.tell()
        return True

    def opened(self, broken: str = "") -> None:
        """Write how that went."""
        self.attempts, self.broken = 0, broken
        self.tell()

    def about_to_score(self, request: str) -> None:
        """Write which request the candidate gets next."""
        self.tell(scoring={"id": request, "since_s": time.monotonic()})

    def tell(self, scoring: Mapping[str, object] | None = None) -> None:
        """Write all of it."""
        self.told_us, self.scoring = self.now_us(), scoring is not None
        if self.seen:
            self.tally += Tally(seen=self.seen, sampled=self.sampled, late=self.late)
            self.seen = self.sampled = self.late = 0
        self.board.write(
            self.cell,
            {
                "pid": os.getpid(),
                "beat_us": self.told_us,
                "shadow": self.shadow,
                "scoring": scoring,
                "tally": self.tally.to_json(),
                "positions": self.positions,
                "too_big": self.too_big,
                "attempts": self.attempts,
                "broken": self.broken,
                "isolated": dict(self.isolated),
                "lag": self.lag,
            },
        )

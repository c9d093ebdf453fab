"""What the workers of one gateway have counted of a version, as the guardrails want it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.gateway.counts import BOUNDS_US, Book, Counts
from seatrial.watch.guardrails import Vitals, quantile_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.gateway.board import Board
    from seatrial.gateway.cells import Cells

SHARE = 0.99
"""The quantile of the time that is guarded."""


@dataclass(slots=True)
class Gauge:
    """Reads the board; knows which workers have died since it began to look."""

    board: Board
    cells: Cells
    crashed: int = 0
    _pids: dict[int, int] = field(default_factory=dict)
    _counts: dict[tuple[str, int], Counts] = field(default_factory=dict)

    def look(self) -> None:
        """Read what every worker has told."""
        counts: dict[tuple[str, int], Counts] = {}
        for cell in self.cells.of_workers:
            told = self.board.read(cell)
            if told is None:
                continue
            before = self._pids.get(cell)
            self.crashed += before is not None and before != told["pid"]
            self._pids[cell] = told["pid"]
            for which, each in Book.from_json(told["counts"]).versions.items():
                counts.setdefault(which, Counts()).add(each)
        self._counts = counts

    def vitals(self, model: str, version: int) -> Vitals:
        """What a version has done so far at this gateway."""
        counts = self._counts.get((model, version), Counts())
        return Vitals(
            at_s=time.monotonic(),
            answered=counts.requests,
            faults=counts.faults,
            crashed=self.crashed,
        )

    def times(self, model: str, version: int) -> Sequence[int]:
        """How many answers of a version took how long: by the bins of ``BOUNDS_US``."""
        return list(self._counts.get((model, version), Counts()).buckets)

    def p99_us(self, times: Sequence[int]) -> float | None:
        """The time that 99 % of these answers did not exceed; None of none."""
        return quantile_us(BOUNDS_US, times, SHARE)

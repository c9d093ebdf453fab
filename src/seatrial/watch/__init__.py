"""Following a version after it was promoted: labels, guardrails, and the way back.

Nothing here knows how a gateway counts: whoever runs a :class:`~seatrial.watch.watcher.Watcher`
beside one hands it a :class:`Gauge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.watch.guardrails import Vitals


class Gauge(Protocol):
    """What one gateway has counted of its versions."""

    def look(self) -> None:
        """Read the newest counts."""

    def vitals(self, model: str, version: int) -> Vitals:
        """What a version has done so far."""

    def times(self, model: str, version: int) -> Sequence[int]:
        """How many of its answers took how long, by bins; they only grow."""

    def p99_us(self, times: Sequence[int]) -> float | None:
        """The time in microseconds that 99 % of such counts did not exceed; None of none."""

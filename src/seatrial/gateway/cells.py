"""Which cell of the board belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass

SHADOWS = 8
"""Shadow tests that one gateway runs at once."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Places on the board of a gateway with so many workers; cell 0 holds what is wanted.

    >>> cells = Cells(workers=2)
    >>> [*cells.of_workers], cells.writer, cells.scheduler, cells.watcher, cells.count
    ([1, 2], 3, 4, 5, 14)
    """

    workers: int

    @property
    def of_workers(self) -> range:
        """One for each worker."""
        return range(1, self.workers + 1)

    @property
    def writer(self) -> int:
        """The writer of the traffic log."""
        return self.workers + 1

    @property
    def scheduler(self) -> int:
        """The scheduler."""
        return self.workers + 2

    @property
    def watcher(self) -> int:
        """The watcher of what was promoted."""
        return self.workers + 3

    @property
    def shadows(self) -> range:
        """One for each shadow test under way."""
        return range(self.workers + 4, self.workers + 4 + SHADOWS)

    @property
    def count(self) -> int:
        """All of them."""
        return self.shadows.stop

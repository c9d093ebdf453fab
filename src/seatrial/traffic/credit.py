"""How much of a processor may go into what can wait?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARE = 0.1
"""The share of one processor that may go into it."""

MOST_S = 0.05
"""How long it may take at once, but for the piece that was begun."""


@dataclass(slots=True)
class Credit:
    """Time is earned by waiting, and spent by working; ``timer`` gives seconds.

    >>> credit = Credit(iter([0.0, 1.0, 10.0]).__next__)
    >>> credit.earn(0.0)
    >>> with credit.spending():
    ...     pass
    >>> credit.left
    False
    >>> credit.earn(10.0)
    >>> credit.left
    True
    """

    timer: Callable[[], float]
    left_s: float = MOST_S
    _earned_s: float | None = None

    @property
    def left(self) -> bool:
        """Whether there is any."""
        return self.left_s > 0

    def earn(self, now_s: float) -> None:
        """What the time since the last call is worth."""
        passed_s = 0.0 if self._earned_s is None else now_s - self._earned_s
        self.left_s = min(MOST_S, self.left_s + SHARE * passed_s)
        self._earned_s = now_s

    @contextmanager
    def spending(self) -> Iterator[None]:
        """What is done within is paid for, however long it takes."""
        began_s = self.timer()
        try:
            yield
        finally:
            self.left_s -= self.timer() - began_s

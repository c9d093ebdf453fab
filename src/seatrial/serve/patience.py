"""How long to wait before what failed is tried again: ever longer, until it succeeds."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST_S = 1.0
LONGEST_S = 600.0
ANSWERS = frozenset({0, 3, 4})
"""Exit codes of a run that went on. A failed gate's 1 is not among them: a job that cannot even
load its code exits so too, and a run whose gate failed has ended and is not tried again."""


@dataclass(slots=True)
class Patience:
    """Pauses by subject, in seconds of a monotonic clock.

    >>> patience = Patience()
    >>> [patience.ended("01M842", code, now_s=0.0) for code in (1, -9, 4)]
    [1.0, 2.0, 0.0]
    """

    _pauses: dict[str, tuple[float, float]] = field(default_factory=dict)

    def ended(self, subject: str, code: int, now_s: float) -> float:
        """Note how a try ended; how long its subject is left alone."""
        if code in ANSWERS:
            self._pauses.pop(subject, None)
            return 0.0
        self._forget(now_s)
        last_s, _ = self._pauses.get(subject, (FIRST_S / 2, 0.0))
        pause_s = min(2 * last_s, LONGEST_S)
        self._pauses[subject] = pause_s, now_s + pause_s
        return pause_s

    def paused(self, now_s: float) -> frozenset[str]:
        """The subjects that are left alone now."""
        return frozenset(s for s, (_, until_s) in self._pauses.items() if until_s > now_s)

    def _forget(self, now_s: float) -> None:
        """Drop what nobody tried for long: its subject has ended some other way."""
        old = [s for s, (_, until_s) in self._pauses.items() if now_s - until_s > LONGEST_S]
        for subject in old:
            del self._pauses[subject]

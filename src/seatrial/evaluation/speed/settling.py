"""Which timing counts, where a busy moment may have left open what a quiet one would decide?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.evaluation.speed.asking import TimingReply
    from seatrial.outcome import Measure

MORE = 2
"""So many further timings must agree."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One timing of all versions, and what it says."""

    reply: TimingReply
    measures: tuple[Measure, ...]

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Of what was held against a limit."""
        judged = {each.name: each.verdict for each in self.measures}
        return {name: verdict for name, verdict in judged.items() if verdict is not Verdict.SKIP}


def settled(first: Timed, again: Callable[[], Timed | None]) -> Timed:
    """The timing that counts: the last of two more, where they settle what the first left open.

    A busy moment can leave open what a quiet one would decide. Both must decide everything, alike,
    and nothing otherwise than the first did: a wrong pass is then given by chance in at most
    0.05 + 0.05 x 0.05 of cases instead of 0.05. Else the first counts, and always when it fails.
    """
    known = set(first.verdicts.values())
    if Verdict.INCONCLUSIVE not in known or Verdict.FAIL in known:
        return first
    decided: dict[str, Verdict] = {
        name: verdict
        for name, verdict in first.verdicts.items()
        if verdict is not Verdict.INCONCLUSIVE
    }
    last = first
    for _ in range(MORE):
        following = again()
        if following is None:
            return first
        verdicts = following.verdicts
        contradicts = any(verdicts.get(name) is not verdict for name, verdict in decided.items())
        if contradicts or Verdict.INCONCLUSIVE in verdicts.values():
            return first
        last, decided = following, verdicts
    return last

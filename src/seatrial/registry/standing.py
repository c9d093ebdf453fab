"""Whether all live gateways have said it of a version; and waiting until they have."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.registry.gateways import FAILED, READY, REFUSED, SERVING, live, readiness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from seatrial.ledger.store import Ledger
    from seatrial.registry.gateways import Gateway, Readiness

READY_S = 30.0
"""How long a promotion waits for live gateways to prepare the version."""

SERVING_S = 5.0
"""How long after a move one waits for them to say that they serve it."""

NAP_S = 0.02


@dataclass(frozen=True, slots=True)
class Standing:
    """What the live gateways say of a version.

    ``missing`` have not said what was asked for; ``refused`` and ``failed`` said that they cannot.
    ``remarked`` can, and have something to say about it.
    """

    live: tuple[Gateway, ...]
    missing: tuple[Gateway, ...]
    refused: tuple[Readiness, ...]
    failed: tuple[Readiness, ...]
    remarked: tuple[Readiness, ...] = ()

    @property
    def nacks(self) -> tuple[Readiness, ...]:
        """Everything that stops a promotion."""
        return self.refused + self.failed

    @property
    def settled(self) -> bool:
        """Whether there is nothing left to wait for."""
        return not self.missing or bool(self.nacks)


def of(ledger: Ledger, home: Path, model: str, version: int, state: str) -> Standing:
    """Who of the live gateways has said ``state`` (``ready``, or ``serving``) of a version.

    A gateway that serves a version has it ready.
    """
    living, said = live(ledger, home), readiness(ledger, model, version)
    enough = {SERVING} if state == SERVING else {READY, SERVING}
    answers = [said[each.id] for each in living if each.id in said]
    acknowledged = {each.gateway for each in answers if each.state in enough}
    return Standing(
        tuple(living),
        tuple(each for each in living if each.id not in acknowledged),
        tuple(each for each in answers if each.state == REFUSED),
        tuple(each for each in answers if each.state == FAILED),
        tuple(each for each in answers if each.state in {READY, SERVING} and each.reason),
    )


def wait(
    ledger: Ledger, home: Path, model: str, version: int, state: str, within_s: float
) -> Standing:
    """Look until all have said it, one says that it cannot, or the time is over."""
    found = of(ledger, home, model, version, state)

    def settled() -> bool:
        nonlocal found
        found = of(ledger, home, model, version, state)
        return found.settled

    if not found.settled:
        await_so(settled, within_s)
    return found


def await_so(
    look: Callable[[], bool],
    within_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Look every 20 ms until something is so; whether it was in time. ``clock`` is in seconds.

    >>> times = iter(range(99))
    >>> await_so(lambda: False, 3.0, clock=lambda: next(times), sleep=lambda _s: None)
    False
    """
    ends = clock() + within_s
    while not (so := look()) and clock() < ends:
        sleep(NAP_S)
    return so


def served_by(said: Standing) -> str:
    """How many gateways serve it, as the end of a sentence; empty when none lives.

    >>> served_by(Standing((), (), (), ()))
    ''
    """
    if not said.live:
        return ""
    count, total = len(said.live) - len(said.missing), len(said.live)
    if count < total:
        return f"; {count} of {total} gateways have confirmed it"
    return f"; {total} gateway{' serves' if total == 1 else 's serve'} it"


def named(found: Sequence[Gateway]) -> str:
    """Several gateways in a sentence."""
    return ", ".join(map(str, found))

"""Which release of seatrial is this, and is it the one that planned the run?"""

from __future__ import annotations

import functools
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.ledger.runs import Run


@functools.cache
def installed() -> str:
    """The release that is installed here."""
    return version("seatrial")


def differs(run: Run) -> str | None:
    """What to say when another release planned the run; ``None`` when it was this one.

    A run outlives an upgrade: one that waits for two days must not be lost to it. So it is said
    and recorded with the step, and stops nothing.
    """
    planned = run.request.get("seatrial")
    if planned in {None, installed()}:
        return None
    return f"run {run.id} was planned by seatrial {planned}; this is seatrial {installed()}"

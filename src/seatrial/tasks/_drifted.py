"""Does the traffic of production still look like what it was trained on? Told with a judgement.

Evaluation rows stand for the requests to come; where the traffic has moved, they no longer may.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.outcome import Finding
from seatrial.registry import drifts
from seatrial.registry.registry import PRODUCTION

if TYPE_CHECKING:
    from seatrial.registry.registry import Registry

RECENT = timedelta(days=7)
"""What was seen longer ago says little about today's traffic."""


def recent_drift(registry: Registry, model: str) -> tuple[Finding, ...]:
    """What the newest day of production's traffic says, when it says that something has moved."""
    serving = registry.channel(model, PRODUCTION)
    if serving is None:
        return ()
    newest = drifts.latest(registry.ledger, model, serving.version)
    if newest is None or not newest.moved or registry.ledger.clock() - newest.begin > RECENT:
        return ()
    since = datetime.fromisoformat(str(newest.since))
    found = Finding(
        what=f"live traffic of version {serving.version} moved: {newest.moved_said}, since"
        f" {since:%Y-%m-%dT%HZ}; the held-out rows may no longer stand for it, and rows"
        " like today's requests are better to train and to judge on",
        where=f"traffic of {model} until {newest.end:%Y-%m-%dT%HZ}",
    )
    return (found,)

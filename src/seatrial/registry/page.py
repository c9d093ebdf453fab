"""Where is the web page of this project now? The gateways that live say so in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.registry import gateways

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.ledger.store import Ledger


def page(ledger: Ledger, home: Path) -> str | None:
    """The address of the page that was started last, without a path; None while there is none.

    A page of this machine goes before one that only another machine may reach.
    """
    found = [each for each in gateways.live(ledger, home) if each.control]
    here = [each for each in found if gateways.held(home, each.id)]
    return (here or found)[-1].control if found else None

"""Where is the web page of this project now? The gateways that live say so in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.registry import gateways
from seatrial.registry.loopback import leads_here

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.ledger.store import Ledger


def page(ledger: Ledger, home: Path) -> str | None:
    """The address of the page that was started last, without a path; None while there is none.

    A page of this machine goes before that of another, of which only that machine may say
    ``127.0.0.1``.
    """
    here, there = None, None
    for each in gateways.live(ledger, home):
        if each.control is not None and gateways.held(home, each.id):
            here = each.control
        elif each.control is not None and not leads_here(each.control):
            there = each.control
    return here or there

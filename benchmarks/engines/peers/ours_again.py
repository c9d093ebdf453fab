"""A pipeline of ten in a process that has run it before; prints seconds as JSON.

From the text of the file to the document of the ended run: read, planned, ten steps appended to
the ledger and synced, closed.
"""

from __future__ import annotations

from again import tell

import seatrial


def run() -> None:
    """What ``seatrial run pipeline.yaml`` does once Python has started."""
    driven = seatrial.run("pipeline.yaml")
    assert driven.exit_code == 0, driven.document


tell(run)

"""Brings to the shared store what could not wait for it: the evidence of a rollback."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.ledger.blobs import Blobs

PAUSE_S = 30.0
"""Until a store that was in trouble is tried again."""


@dataclass(slots=True)
class Owed:
    """Whoever serves beside it waits for nothing; what is owed stands in the folder of blobs."""

    blobs: Blobs
    log: Callable[..., None]
    _again_s: float = 0.0

    def turn(self) -> None:
        """Bring what there is; a look at an empty folder costs microseconds."""
        if time.monotonic() < self._again_s:
            return
        try:
            self.blobs.settle()
        except StoreError as error:
            self._again_s = time.monotonic() + PAUSE_S
            self.log("store_in_trouble", error=str(error))

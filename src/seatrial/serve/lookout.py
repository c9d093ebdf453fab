"""A thread that looks at the ledger, so that nobody who serves ever waits for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from seatrial.registry import shadows
from seatrial.serve.desired import Document, desired

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.pipeline import Serving
    from seatrial.registry.project import Project

LOOK_S = 0.005
"""How soon a committed move is seen."""

TROUBLE_S = 1.0
"""How soon it looks again after the ledger could not be read."""


class Lookout:
    """Keeps ``seen``, what the registry wants to be loaded; ``None`` until it was read once."""

    def __init__(
        self,
        project: Project,
        serving: Callable[[], Mapping[str, Serving]],
        wake: threading.Event,
        log: Callable[..., None],
    ) -> None:
        self.seen: Document | None = None
        self.replaced = threading.Event()
        """Set when the ledger is another one than before: restored from a backup, say."""
        self._project = project
        self._serving = serving
        self._wake = wake
        self._log = log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="lookout", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=0.2)

    def _look(self) -> None:
        stamp, troubled = None, False
        while not self._stop.wait(TROUBLE_S if troubled else LOOK_S):
            try:
                now = self._project.ledger.stamp()
                if now == stamp:
                    continue
                if stamp is not None and now.ledger != stamp.ledger:
                    self._log("ledger_replaced")
                    self.replaced.set()
                self._read()
                stamp, troubled = now, False
            except Exception as error:  # noqa: BLE001 - a thread that died would see no move again
                # what serves goes on serving; once is enough to be told
                if not troubled:
                    self._log("ledger_unreadable", error=str(error))
                troubled = True

    def _read(self) -> None:
        began = time.perf_counter()
        wanted = shadows.wanted(self._project.ledger)
        document = desired(self._project.registry, wanted, self._serving())
        if document != self.seen:
            self.seen = document
            took_ms = round((time.perf_counter() - began) * 1e3, 1)
            self._log("wanted", took_ms=took_ms, models=document["models"])
            self._wake.set()

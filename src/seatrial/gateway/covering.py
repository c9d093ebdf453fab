"""How many of a gateway's predictions have got their label: looked at while others work."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seatrial.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

WINDOW = timedelta(days=1)
AT_MOST = 200_000
"""Predictions that are looked at; of more, a sample."""

EVERY_S = 60.0
AT_LEAST_TIMES = 20
"""A look is followed by a pause so many times as long, or of a minute."""

_LOWEST_NICE = 19


class Covering:
    """The label coverage of the last day, for models that got labels since the last look."""

    def __init__(self, traffic: Path, clock: Callable[[], datetime]) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        """By model: the fields of :class:`~seatrial.traffic.coverage.Coverage`."""
        self._traffic = traffic
        self._clock = clock
        self._due: set[str] = set()
        self._next_s = 0.0
        self._took_s = 0.0
        self._thread: threading.Thread | None = None

    def note(self, models: Iterable[str]) -> None:
        """Labels of these models were written."""
        self._due.update(models)

    def tend(self, now_s: float) -> None:
        """Begin a look when one is due; ``now_s`` is monotonic time."""
        if not self._due or now_s < self._next_s or not self.idle():
            return
        self._next_s = now_s + max(EVERY_S, AT_LEAST_TIMES * self._took_s)
        models, self._due = sorted(self._due), set()
        self._thread = threading.Thread(target=self._look, args=(models,), daemon=True)
        self._thread.start()

    def idle(self, within_s: float = 0.0) -> bool:
        """Whether no look is under way."""
        if self._thread is not None:
            self._thread.join(within_s)
        return self._thread is None or not self._thread.is_alive()

    def _look(self, models: list[str]) -> None:
        # DuckDB is loaded only where labels come.
        from seatrial.traffic.coverage import coverage  # noqa: PLC0415

        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_NICE)
        began_s = time.monotonic()
        since = self._clock() - WINDOW
        for model in models:
            try:
                found = coverage(self._traffic, model, since, at_most=AT_MOST, threads=1)
            except StoreError:
                continue  # the last one stands; whoever reads the log for a verdict is told
            self.found = {**self.found, model: asdict(found)}
        self._took_s = time.monotonic() - began_s

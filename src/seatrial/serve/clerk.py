"""A thread that writes to the ledger what the supervisor has to say, once that is possible."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

TROUBLE_S = 1.0
"""How soon it tries again when the ledger did not take it."""


class Clerk:
    """Notes are kept by subject: a newer note replaces one that was not yet written."""

    def __init__(self, log: Callable[..., None]) -> None:
        self._log = log
        self._notes: dict[Hashable, Callable[[], object]] = {}
        self._guard = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="clerk", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def note(self, subject: Hashable, write: Callable[[], object]) -> None:
        """Have ``write`` called; again later when it raises."""
        with self._guard:
            # at the end of the queue: what is said about different subjects keeps its order
            self._notes.pop(subject, None)
            self._notes[subject] = write
            self._guard.notify()

    def close(self, within_s: float) -> None:
        """Write what is left, as far as that is possible in time."""
        with self._guard:
            self._closing = True
            self._guard.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=within_s)

    def _write(self) -> None:
        troubled = False
        while (taken := self._next()) is not None:
            subject, write = taken
            try:
                write()
                troubled = False
            except Exception as error:  # noqa: BLE001 - a thread that died would write nothing again
                if not troubled:
                    self._log("ledger_unwritable", error=str(error))
                troubled = True
                self._again(subject, write)

    def _next(self) -> tuple[Hashable, Callable[[], object]] | None:
        with self._guard:
            while not self._notes:
                if self._closing:
                    return None
                self._guard.wait()
            subject = next(iter(self._notes))
            return subject, self._notes.pop(subject)

    def _again(self, subject: Hashable, write: Callable[[], object]) -> None:
        with self._guard:
            # first in the queue again, unless there is newer to say about it
            self._notes = {subject: write, **self._notes}
            if not self._closing:
                self._guard.wait(timeout=TROUBLE_S)
            else:
                self._notes.clear()

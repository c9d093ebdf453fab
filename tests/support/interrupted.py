"""Ctrl-C at the worst moment, without luck."""

from __future__ import annotations

import threading


class InterruptedThread(threading.Thread):
    """Ctrl-C comes just when it has begun."""

    def start(self) -> None:
        super().start()
        raise KeyboardInterrupt

"""The project that the pages are about, opened at the first look; followed when it is replaced."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from seatrial.registry.project import Project


class Opened:
    """Opens a project once; a ledger that was replaced by another is looked at anew."""

    def __init__(self, opener: Callable[[], Project]) -> None:
        self._opener = opener
        self._project: Project | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Project:
        """The project as it stands; raises what its opener raises, and then tries again."""
        with self._lock:
            if self._project is None:
                self._project = self._opener()
            self._project.ledger.stamp()  # one thread at a time may ask for it
            return self._project

    def close(self) -> None:
        """Let go of the ledger."""
        with self._lock:
            if self._project is not None:
                self._project.ledger.close()
                self._project = None


def project(request: Request) -> Project:
    """The project that this page is about."""
    return cast("Opened", request.app.state.opened)()

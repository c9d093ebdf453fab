"""Granian, on a socket that others keep open: one that dies drops no waiting connection."""

from __future__ import annotations

from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

BACKLOG = 1024

IDLE_MS = 120_000
"""A connection is kept so long without a request: longer than proxies keep theirs (nginx: 60 s),
or now and then one would send a request just when it is closed."""


class Inherited(Server):
    """Serves an application on a file descriptor; ``at_once`` connections are looked after."""

    def __init__(
        self,
        app: Any,
        socket: int,
        interface: Interfaces = Interfaces.RSGI,
        at_once: int | None = None,
    ) -> None:
        super().__init__(
            app,
            interface=interface,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=IDLE_MS),
            websockets=False,
            backlog=BACKLOG,
            backpressure=at_once,
            log_enabled=False,
        )
        self._inherited = socket

    def _init_shared_socket(self) -> None:
        # not in its stubs: file descriptor, whether it is a Unix socket, backlog
        holder: Any = SocketHolder
        self._ssp, self._shd = None, holder(self._inherited, False, BACKLOG)  # noqa: FBT003

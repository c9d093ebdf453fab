"""A line to PostgreSQL that is cut where it hurts: at a COMMIT, before it or after it was heard."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Cut = Literal["unheard", "unanswered", "half open"]
"""Never reached the server, and both ends know; reached it, but no answer came back; never reached
it, and the server does not know."""


_COMMIT = b"COMMIT\0"  # BEGIN ISOLATION LEVEL READ COMMITTED is none


@dataclass(slots=True)
class Line:
    """What stands in between; ``armed`` cuts at the next COMMIT, ``dead`` lets nobody through."""

    port: int
    armed: Cut | None = None
    dead: bool = False
    cuts: int = 0
    kept: list[socket.socket] = field(default_factory=list)

    def serve(self, listening: socket.socket, server_port: int) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            if self.dead:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", server_port))
            for pump in (self._up, self._down):
                threading.Thread(target=pump, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        """From the client to the server."""
        with contextlib.suppress(OSError):
            while said := client.recv(65536):
                if self.armed is not None and _COMMIT in said:
                    self._cut(client, server, said)
                    return
                server.sendall(said)
        _end(client, server)

    def _cut(self, client: socket.socket, server: socket.socket, said: bytes) -> None:
        how, self.armed = self.armed, None
        self.cuts += 1
        if how == "half open":
            self.kept.append(server)
        if how != "unheard":
            _end(client)
        if how == "unanswered":
            server.sendall(said)
        if how != "half open":
            # the server hears all of what it was sent, then the end
            server.shutdown(socket.SHUT_WR)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        """From the server to the client."""
        with contextlib.suppress(OSError):
            while said := server.recv(65536):
                client.sendall(said)
        if server not in self.kept:
            _end(client, server)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextlib.contextmanager
def line_to(server_port: int) -> Iterator[Line]:
    """A port that leads to the server's."""
    listening = socket.create_server(("127.0.0.1", 0))
    line = Line(listening.getsockname()[1])
    thread = threading.Thread(target=line.serve, args=(listening, server_port))
    thread.start()
    try:
        yield line
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        _end(*line.kept)

"""The line between one machine and a server: it can be cut, be down, or swallow everything."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

PIECE = 1 << 16


class Line:
    """Forwards what comes to ``port`` here to another port on 127.0.0.1, while it is up."""

    def __init__(self, to_port: int, here: str = "127.0.0.1") -> None:
        self._to_port = to_port
        self._listening = socket.create_server((here, 0))
        self.port: int = self._listening.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._state = "up"
        self._over = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._forward)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        self._thread.join()
        self.cut()
        self._listening.close()

    def up(self) -> None:
        """As if nothing had been; what was swallowed arrives late."""
        self._state = "up"

    def down(self) -> None:
        """Every connection ends, and new ones end at once: the server is not there."""
        self._state = "down"
        self.cut()

    def silent(self) -> None:
        """Nothing arrives any more, and nobody is told: the network is gone."""
        self._state = "silent"

    def cut(self) -> None:
        """Every connection that there is ends."""
        with self._lock:
            for each in self._pairs:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
            self._pairs.clear()

    def _forward(self) -> None:
        while not self._over:
            if self._state == "silent":
                threading.Event().wait(0.02)
                continue
            with selectors.DefaultSelector() as ready, self._lock:
                ready.register(self._listening, selectors.EVENT_READ)
                for each in self._pairs:
                    ready.register(each, selectors.EVENT_READ)
                found = [key.fileobj for key, _ in ready.select(0.005)]
                for one in found:
                    assert isinstance(one, socket.socket)
                    if one is self._listening:
                        self._accept()
                    elif one in self._pairs:
                        self._pass_on(one)

    def _accept(self) -> None:
        near, _ = self._listening.accept()
        if self._state == "down":
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._to_port))
        except OSError:
            near.close()
            return
        self._pairs |= {near: far, far: near}

    def _pass_on(self, each: socket.socket) -> None:
        other = self._pairs[each]
        try:
            piece = each.recv(PIECE)
            if piece:
                other.sendall(piece)
        except OSError:
            piece = b""
        if not piece:
            for end in (each, other):
                del self._pairs[end]
                end.close()

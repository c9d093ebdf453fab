"""One gateway worker: ``python -m seatrial.gateway.worker``, started by the supervisor.

It loads what the supervisor wants, says so on its cell of the board, and only then takes
connections from the socket that all workers share.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from seatrial.gateway import parent
from seatrial.gateway.app import App
from seatrial.gateway.board import Board
from seatrial.gateway.cells import Cells
from seatrial.gateway.counts import Book
from seatrial.gateway.loading import load
from seatrial.gateway.log import logger
from seatrial.gateway.ring import Ring
from seatrial.ledger.blobs import Blobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.gateway.loading import Refused

LOOK_S = 0.01
"""How soon a worker sees that something else is wanted."""

TELL_S = 0.25
"""How often a worker writes its counts on the board."""

DRAIN_S = 3.0
"""How long requests under way may take once the worker must stop."""

BACKLOG = 1024

IDLE_MS = 120_000
"""A connection is kept so long without a request: longer than proxies keep theirs (nginx: 60 s),
or now and then one would send a request just when it is closed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Load, then serve until SIGTERM or until the supervisor is gone."""
    asked = _arguments(arguments)
    board, ring = Board.open(asked.board), Ring.open(asked.ring)
    log = logger(f"worker {asked.worker}")
    cell = Cells(asked.workers).of_workers[asked.worker]
    before = board.read(cell) or {}
    book = Book.from_json(before["counts"]) if "counts" in before else Book()
    app = App(board, ring, book, asked.workers, log)
    follower = Follower(app, cell, Blobs(Path(asked.home) / "blobs"))
    follower.catch_up()
    # What lives now lives as long as the worker: collections need not look at it again.
    gc.collect()
    gc.freeze()
    asyncio.run(_serve(app, follower, asked.socket))
    # Not by the way of the interpreter's end: threads of granian may still ask for its lock then.
    os._exit(0)


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser()
    for name in ("worker", "workers", "board", "ring", "socket"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--home", required=True)
    return parser.parse_args(arguments)


class Follower:
    """Follows what is wanted, and tells the board what this worker has."""

    def __init__(self, app: App, cell: int, blobs: Blobs) -> None:
        self.app = app
        self.cell = cell
        self.blobs = blobs
        self.generation = -1
        self.refused: list[Refused] = []
        self.accepting = False
        self._alive = parent.watch()

    def catch_up(self) -> None:
        """Load until nothing newer is wanted; told each time, so that a commit can count on it."""
        while self.generation != self.app.board.generation():
            generation, wanted = self.app.board.wanted()
            offered, self.refused = load(wanted, self.app.offered, self.blobs, self.app.book)
            self.app.install(offered)
            self.generation = generation
            for each in self.refused:
                self.app.log("refused", **each.to_json())
            self.tell()

    def tell(self) -> None:
        """Write this worker's cell."""
        ring = self.app.ring
        self.app.board.write(
            self.cell,
            {
                "pid": os.getpid(),
                "generation": self.generation,
                "ready": self.accepting,
                "refused": [each.to_json() for each in self.refused],
                "beat_us": time.time_ns() // 1000,
                "counts": self.app.book.to_json(),
                "records": ring.records,
                "too_big": ring.too_big,
            },
        )

    def follow(self, stop: threading.Event) -> None:
        """Until told to stop, or until the supervisor is gone: nobody else could stop it."""
        told = 0.0
        while not stop.wait(LOOK_S):
            self.catch_up()
            now = time.monotonic()
            if now - told >= TELL_S:
                self.tell()
                told = now
                if not self._alive():
                    os.kill(os.getpid(), signal.SIGTERM)
                    return


class _Inherited(Server):
    """Granian, on a socket that others keep open: one that dies drops no waiting connection."""

    def __init__(self, app: App, socket: int) -> None:
        super().__init__(
            app,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=IDLE_MS),
            websockets=False,
            backlog=BACKLOG,
            log_enabled=False,
        )
        self._inherited = socket

    def _init_shared_socket(self) -> None:
        # not in its stubs: file descriptor, whether it is a Unix socket, backlog
        holder: Any = SocketHolder
        self._ssp, self._shd = None, holder(self._inherited, False, BACKLOG)  # noqa: FBT003


async def _serve(app: App, follower: Follower, socket: int) -> None:
    server, stop = _Inherited(app, socket), threading.Event()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    serving = loop.create_task(server.serve())
    follower.accepting = True
    follower.tell()
    thread = threading.Thread(target=follower.follow, args=(stop,), daemon=True)
    thread.start()
    await ended.wait()
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([serving], timeout=DRAIN_S)
    stop.set()
    thread.join(timeout=1)
    if not thread.is_alive():  # a cell has one writer
        follower.tell()


if __name__ == "__main__":
    main()

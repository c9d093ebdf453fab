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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.gateway import parent
from seatrial.gateway.app import App
from seatrial.gateway.board import Board
from seatrial.gateway.bringing import Bringing
from seatrial.gateway.cells import Cells
from seatrial.gateway.counts import Book
from seatrial.gateway.inherited import Inherited
from seatrial.gateway.loading import load
from seatrial.gateway.log import logger
from seatrial.gateway.ring import Ring
from seatrial.ledger.blobs import Blobs, blobs_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.gateway.loading import Refused

LOOK_S = 0.02
"""How soon a worker sees that something else is wanted."""

TELL_S = 0.25
"""How often a worker writes its counts on the board."""

RETRY_S = 5.0
"""How soon a version is tried again when something was in the way of loading it."""

DRAIN_S = 3.0
"""How long requests under way may take once the worker must stop."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Load, then serve until SIGTERM or until the supervisor is gone."""
    asked = _arguments(arguments)
    board, ring = Board.open(asked.board), Ring.open(asked.ring)
    log = logger(f"worker {asked.worker}")
    cell = Cells(asked.workers).of_workers[asked.worker]
    before = board.read(cell) or {}
    book = Book.from_json(before["counts"]) if "counts" in before else Book()
    app = App(board, ring, book, asked.workers, log)
    home = Path(asked.home)
    follower = Follower(app, cell, Blobs(home / "blobs"), _bringing(home))
    # A commit counts on what was told: so it is told before it is looked whether there is more.
    while follower.catch_up():
        follower.tell()
    # What lives now lives as long as the worker: collections need not look at it again.
    gc.collect()
    gc.freeze()
    asyncio.run(_serve(app, follower, asked.socket))
    # Not by the way of the interpreter's end: threads of granian may still ask for its lock then.
    os._exit(0)


def _bringing(home: Path) -> Bringing | None:
    """What brings versions that do not lie here; None where there is nowhere else."""
    return None if blobs_at(home).store is None else Bringing(home)


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser()
    for name in ("worker", "workers", "board", "ring", "socket"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--home", required=True)
    return parser.parse_args(arguments)


class Follower:
    """Follows what is wanted, and tells the board what this worker has.

    Loading and telling are threads of their own: a version that takes minutes to load must not
    make its worker look hung. What does not lie here is brought by another process meanwhile.
    """

    def __init__(self, app: App, cell: int, blobs: Blobs, bringing: Bringing | None = None) -> None:
        self.app = app
        self.cell = cell
        self.blobs = blobs
        self.bringing = bringing
        self.generation = -1
        self.refused: list[Refused] = []
        self.accepting = False
        self._alive = parent.watch()
        self._news = threading.Event()
        self._stop = threading.Event()
        self._retry_s = 0.0
        self._threads = [
            threading.Thread(target=self._load_on, daemon=True),
            threading.Thread(target=self._tell_on, daemon=True),
        ]

    def start(self) -> None:
        """Follow from now on."""
        self.accepting = True
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Tell a last time."""
        self._stop.set()
        self._news.set()
        for thread in self._threads:
            thread.join(timeout=0.5)

    def catch_up(self) -> bool:
        """Load what is wanted now; whether anything was to be done."""
        came = self.bringing is not None and self.bringing.ended()
        again = came or (any(each.kind == "failed" for each in self.refused) and self._due())
        if self.generation == self.app.board.generation() and not again:
            return False
        generation, wanted = self.app.board.wanted()
        app, before = self.app, {(each.model, each.version) for each in self.refused}
        offered, self.refused = load(wanted, app.offered, self.blobs, app.book)
        app.install(offered)
        app.book.fold({(name, v) for name, each in offered.items() for v in each.versions})
        self.generation = generation
        self._bring(wanted, came=came)
        for each in self.refused:
            if (each.model, each.version) not in before:
                app.log("refused", **each.to_json())
        return True

    def _bring(self, wanted: Mapping[str, Any], *, came: bool) -> None:
        """Have brought what could not be opened; say what was in the way of that."""
        if self.bringing is None:
            return
        failed = {(each.model, each.version) for each in self.refused if each.kind == "failed"}
        if self.bringing.why:
            self.refused = [
                replace(each, reason=self.bringing.why) if each.kind == "failed" else each
                for each in self.refused
            ]
        if failed and not came and self.accepting:
            self.bringing.begin(
                (f"{model['name']} version {each['version']}", each["digest"])
                for model in wanted["models"]
                for each in model["versions"]
                if (model["name"], each["version"]) in failed
            )

    def _due(self) -> bool:
        """Whether something that was in the way is looked at again, once this worker serves."""
        now = time.monotonic()
        if not self.accepting or now < self._retry_s:
            return False
        self._retry_s = now + RETRY_S
        return True

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
                # of the machine's one monotonic clock: the other may be set at any time
                "beat_s": time.monotonic(),
                "counts": self.app.book.to_json(),
                "records": ring.records,
                "too_big": ring.too_big,
            },
        )

    def _load_on(self) -> None:
        while not self._stop.wait(LOOK_S):
            if self.catch_up():
                self._news.set()

    def _tell_on(self) -> None:
        """Also sees when the supervisor is gone: then nobody else could stop this worker."""
        while not self._stop.is_set():
            self.tell()
            if not self._alive():
                os.kill(os.getpid(), signal.SIGTERM)
            self._news.wait(TELL_S)
            self._news.clear()
        self.tell()


async def _serve(app: App, follower: Follower, socket: int) -> None:
    server, ended = Inherited(app, socket), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    serving = loop.create_task(server.serve())
    asked = loop.create_task(ended.wait())
    follower.start()
    # a server that ends by itself is a worker that must be started anew
    await asyncio.wait([serving, asked], return_when=asyncio.FIRST_COMPLETED)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([serving], timeout=DRAIN_S)
    follower.stop()


if __name__ == "__main__":
    main()

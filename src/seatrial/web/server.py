"""The process of the control port: ``python -m seatrial.web.server``, started by the supervisor.

It comes after all that serves: niced, and nobody waits for it. When it dies the supervisor starts
it again on the same socket; sessions go on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.constants import Interfaces

from seatrial import workspace
from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.gateway.inherited import Inherited
from seatrial.gateway.log import logger
from seatrial.registry.project import open_project
from seatrial.web.app import application
from seatrial.web.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.applications import Starlette

NICENESS = 5
"""Looking comes after answering requests, and before training."""

BUSY_MS = 2000
"""How long a page waits when the ledger is locked, before it says so."""

AT_ONCE = 128
"""Connections: each may bring a request of ``body.LONGEST``, which is held in memory."""

LOOK_S = 0.5
"""How soon it sees that the supervisor is gone."""

DRAIN_S = 2.0
"""How long pages under way may take once it must stop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or until the supervisor is gone."""
    asked = _arguments(arguments)
    alive, log = parent.watch(), logger("web")
    os.nice(NICENESS)
    here = workspace.at(asked.folder.absolute())
    settings = Settings(home=here.home, host=asked.host, port=asked.port, names=tuple(asked.name))
    try:
        app = application(lambda: open_project(here, existing=True, busy_ms=BUSY_MS), settings, log)
    except SeatrialError as error:
        log("unusable", error=str(error))
        return error.exit_code
    asyncio.run(_serve(app, asked.socket, alive))
    # Not by the way of the interpreter's end: threads of granian may still ask for its lock then.
    os._exit(0)


async def _serve(app: Starlette, socket: int, alive: Callable[[], bool]) -> None:
    server, ended = Inherited(app, socket, Interfaces.ASGI, AT_ONCE), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    serving = loop.create_task(server.serve())
    while not ended.is_set() and not serving.done() and alive():
        await asyncio.wait([serving, loop.create_task(ended.wait())], timeout=LOOK_S)
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait([serving], timeout=DRAIN_S)


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.web.server")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", required=True)
    for name in ("socket", "port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--name", action="append", default=[])
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

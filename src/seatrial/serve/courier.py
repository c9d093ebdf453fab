"""Tells people what was decided: ``python -m seatrial.serve.courier --folder PATH``.

It keeps nothing that matters: what is to be told stands in the ledger. So it may be killed at any
moment, and of several for one project one is at work.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import workspace
from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.gateway.log import logger
from seatrial.notify.courier import Courier
from seatrial.registry.page import page
from seatrial.registry.project import open_project
from seatrial.serve.owed import Owed
from seatrial.serve.pipelines import pipelines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NICENESS = 5
"""Telling people comes after answering requests, and before training."""

END_S = 1.0
"""How long those on their way may take when it ends; what they told by then is noted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring what waits in the outbox or is owed to the store, until SIGTERM or the parent's end."""
    folder = _arguments(arguments).folder.absolute()
    stop = threading.Event()
    alive = parent.watch()
    log = logger("courier")
    os.nice(NICENESS)
    try:
        project = open_project(workspace.at(folder), existing=True)
    except SeatrialError as error:
        log("ledger_unusable", error=str(error))
        return error.exit_code
    where = partial(page, project.ledger, project.workspace.home)
    courier = Courier(project.workspace, project.ledger, log, page=where)

    def end(_number: int, _frame: object) -> None:
        stop.set()
        courier.wake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    owed = Owed(project.registry.blobs, log)
    while not stop.is_set() and alive():
        owed.turn()
        courier.rest(courier.turn(pipelines_of(folder).pipelines.values()))
    courier.end(END_S)
    project.ledger.close()
    return 0


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.serve.courier")
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

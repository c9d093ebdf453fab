"""Follows what was promoted: ``python -m seatrial.serve.watcher --folder PATH --board FD …``.

Labels are compared by one watcher of a project, whoever has its lock; the guardrails are those of
one gateway each. What counts stands in the ledger, so it may be killed at any moment.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial import workspace
from seatrial.errors import SeatrialError
from seatrial.gateway import parent
from seatrial.gateway.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.watch.watcher import Watcher


BUSY_MS = 2000
"""How long it waits when the ledger is locked, before it says so and tries again."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Watch until SIGTERM, or until the supervisor is gone."""
    asked = _arguments(arguments)
    alive, stop = parent.watch(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    log = logger("watcher")
    try:
        watcher, tell = _watcher(asked, log)
    except SeatrialError as error:
        log("ledger_unusable", error=str(error))
        return error.exit_code
    while not stop.is_set() and alive():
        pause_s = watcher.turn()
        tell(watcher)
        stop.wait(pause_s)
    watcher.end()
    tell(watcher)
    return 0


def _watcher(asked: Any, log: Callable[..., None]) -> tuple[Watcher, Callable[[Watcher], None]]:
    # Arrow and onnxruntime take half a second of a processor that the workers' start may need:
    # only now, when those have begun.
    import pyarrow as pa  # noqa: PLC0415

    from seatrial.gateway.board import Board  # noqa: PLC0415
    from seatrial.gateway.cells import Cells  # noqa: PLC0415
    from seatrial.registry.project import open_project  # noqa: PLC0415
    from seatrial.serve.vitals import Gauge  # noqa: PLC0415
    from seatrial.watch.watcher import Watcher  # noqa: PLC0415

    pa.set_cpu_count(1)  # the other cores are the workers'
    folder = asked.folder.absolute()
    project = open_project(workspace.at(folder), existing=True, busy_ms=BUSY_MS)
    board = Board.open(asked.board)
    gauge = Gauge(board, Cells(asked.workers))

    def tell(watcher: Watcher) -> None:
        board.write(asked.cell, watcher.told())

    return Watcher(project, gauge, log), tell


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m seatrial.serve.watcher")
    parser.add_argument("--folder", type=Path, required=True)
    for name in ("workers", "board", "cell"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

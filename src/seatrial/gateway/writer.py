"""The writer of the traffic log: ``python -m seatrial.gateway.writer``, started by the supervisor.

It takes from every worker's ring what was asked and answered, and the labels that came back. The
workers never wait for it: what it does not take in time is overwritten, and counted.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.gateway import parent
from seatrial.gateway.log import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.gateway.logbook import Logbook

NICE = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Write until SIGTERM, or until the supervisor is gone; then what is left, within 2 s."""
    asked = _arguments(arguments)
    alive, stop = parent.watch(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    os.nice(NICE)
    logbook = _logbook(asked)
    while not stop.is_set() and alive():
        pause_s = logbook.turn(time.monotonic())
        if pause_s:
            stop.wait(pause_s)
    logbook.finish(time.monotonic)
    if not logbook.covering.idle(within_s=0.2):
        # Its thread is inside DuckDB, and only reads: an ordinary end would wait for it.
        os._exit(0)


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser()
    for name in ("board", "cell"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("rings", "home", "name"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args(arguments)


def _logbook(asked: Any) -> Logbook:
    # Loading Arrow takes time of a processor that the workers' start may need: only now, stepped
    # back.
    import pyarrow as pa  # noqa: PLC0415

    from seatrial.gateway.board import Board  # noqa: PLC0415
    from seatrial.gateway.logbook import Logbook  # noqa: PLC0415
    from seatrial.gateway.ring import Ring  # noqa: PLC0415

    pa.set_cpu_count(1)  # the other cores are the workers'
    rings = [Ring.open(int(fd)) for fd in asked.rings.split(",")]
    board, home = Board.open(asked.board), Path(asked.home)
    return Logbook(board, asked.cell, rings, home, asked.name, logger("writer"))


if __name__ == "__main__":
    main()

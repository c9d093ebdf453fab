"""A shadow test's own process: ``python -m seatrial.gateway.shadow``, started by the supervisor.

It reads what the workers answered, lets the candidate answer a sample of it once more, and counts.
Nothing waits for it, and it may die at any moment: see :mod:`seatrial.gateway.account`.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.errors import StoreError
from seatrial.gateway import parent
from seatrial.gateway.isolation import limit_memory, step_back
from seatrial.gateway.log import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.gateway.mirror import Mirror

PAUSE_S = 0.1
"""How long it rests once it has read everything. What has come meanwhile is then done in one go: a
process that wakes for each request would leave the worker a cold cache each time."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare until the test ends, until SIGTERM, or until the supervisor is gone."""
    asked = _arguments(arguments)
    alive, stop = parent.watch(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    isolated = step_back()
    try:
        mirror = _mirror(asked, isolated)
    except StoreError as error:  # no verdict: the supervisor tries again, ever later
        logger(f"shadow {asked.shadow}")("cannot begin", reason=str(error))
        sys.exit(error.exit_code)
    while mirror.wanted() and not stop.is_set() and alive():
        if not mirror.turn():
            stop.wait(PAUSE_S)
    mirror.tell()


def _arguments(arguments: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser()
    for name in ("board", "cell"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("rings", "home", "shadow"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args(arguments)


def _mirror(asked: Any, isolated: dict[str, object]) -> Mirror:
    # Loading onnxruntime takes half a second of a processor that requests may need: only now,
    # when this process has stepped back, and again each time a candidate has killed it.
    from seatrial.gateway.board import Board  # noqa: PLC0415
    from seatrial.gateway.mirror import Mirror  # noqa: PLC0415
    from seatrial.gateway.ring import Ring  # noqa: PLC0415
    from seatrial.ledger.blobs import blobs_at  # noqa: PLC0415

    return Mirror.begin(
        Board.open(asked.board),
        asked.cell,
        [Ring.open(int(fd)) for fd in asked.rings.split(",")],
        asked.shadow,
        blobs_at(Path(asked.home)).get,
        {**isolated, **limit_memory()},
        now_us,
    )


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


if __name__ == "__main__":
    main()

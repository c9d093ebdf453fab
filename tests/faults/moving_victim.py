"""Runs ``seatrial migrate …`` and kills itself at a point: ``moving_victim.py POINT COMMAND …``."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from seatrial.cli import main
from seatrial.ledger import moved
from seatrial.registry.moving import contents, move, rows

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS: dict[str, tuple[Any, str, int]] = {
    "after three blobs": (contents, "_carried", 4),
    "before the ledger": (move, "copy", 1),
    "within the ledger": (rows, "_add", 6),
    "before it is verified": (move, "prove", 1),
    "before the old one is closed": (move, "close", 1),
    "before the note": (moved, "note", 1),
}
"""What is called, and the call that it does not survive to make."""


def die_at(point: str) -> None:
    module, name, number = POINTS[point]
    act: Callable[..., Any] = getattr(module, name)
    calls = 0

    def counted(*words: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*words, **named)

    setattr(module, name, counted)


if __name__ == "__main__":
    die_at(sys.argv[1])
    sys.argv = ["seatrial", *sys.argv[2:]]
    main()

"""Runs seatrial and kills itself at the Nth event: ``victim.py N inside|after COMMAND …``."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from seatrial.cli import main
from seatrial.ledger import store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def die_at(number: int, moment: str) -> None:
    """Die when event ``number`` was appended: inside its transaction, or after the commit."""
    append, write = store.Transaction.append, store.Ledger.write
    appended = 0

    def counted(self: store.Transaction, kind: str, body: Mapping[str, object]) -> store.Stored:
        nonlocal appended
        stored = append(self, kind, body)
        appended += 1
        if moment == "inside" and appended == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return stored

    def written(self: store.Ledger, change: Callable[[store.Transaction], Any]) -> Any:
        done = write(self, change)
        if appended >= number:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    store.Transaction.append = counted  # type: ignore[method-assign]
    store.Ledger.write = written  # type: ignore[method-assign]


if __name__ == "__main__":
    die_at(int(sys.argv[1]), sys.argv[2])
    sys.argv = ["seatrial", *sys.argv[3:]]
    main()

"""Another machine: ``machine.py [OPTION …] COMMAND …``.

Its clock is off by ``--skew``; its leases (``--lease``) and its patience with the database
(``--busy``) and the store (``--read``) are short, so that a test need not wait for minutes; it has
another ``--release`` of seatrial; it ``--reads`` its data only when a file of that name is there.

A command may also be what ``serve`` starts: ``scheduler``, ``job``.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

from seatrial import workspace
from seatrial.cli import main
from seatrial.engines import _begin, _release, _step
from seatrial.ledger import claims, store
from seatrial.ledger.blob_stores import opening
from seatrial.serve import job, scheduler


def skew(by_s: float) -> None:
    """Whatever asks this machine for the time is told another."""

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(seconds=by_s)

    workspace.datetime = Skewed  # type: ignore[attr-defined]
    true_time, true_ns = time.time, time.time_ns
    time.time = lambda: true_time() + by_s
    time.time_ns = lambda: true_ns() + int(by_s * 1e9)


def release(name: str) -> None:
    """This is another seatrial."""
    modules: tuple[Any, ...] = (_begin, _release, _step)
    for module in modules:
        assert module.installed
        module.installed = lambda: name


def read_late(flag: Path) -> None:
    """The data of a run is read before it begins, and that may take long."""
    contents = _begin._contents

    def late(*words: Any) -> Any:
        flag.with_suffix(".reading").touch()
        while not flag.exists():
            time.sleep(0.01)
        return contents(*words)

    _begin._contents = late  # type: ignore[assignment]


PROGRAMS = {"scheduler": scheduler.main, "job": job.main}

if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("--skew", type=float, default=0.0)
    words.add_argument("--lease", type=float, default=claims.LEASE_S)
    words.add_argument("--busy", type=float, default=store.BUSY_TIMEOUT_MS / 1000)
    words.add_argument("--read", type=float, default=opening.READ_S)
    words.add_argument("--release")
    words.add_argument("--reads", type=Path)
    words.add_argument("command", nargs=argparse.REMAINDER)
    asked = words.parse_args()
    skew(asked.skew)
    claims.LEASE_S = asked.lease
    store.BUSY_TIMEOUT_MS = int(asked.busy * 1000)
    opening.READ_S = asked.read
    if asked.release:
        release(asked.release)
    if asked.reads:
        read_late(asked.reads)
    program, *rest = asked.command
    if program in PROGRAMS:
        sys.exit(PROGRAMS[program](rest))
    sys.argv = ["seatrial", *asked.command]
    main()

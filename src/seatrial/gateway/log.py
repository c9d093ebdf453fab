"""Structured logs: one JSON object a line, on standard error."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable


def logger(source: str) -> Callable[..., None]:
    """A function that logs an event of ``source`` with any further fields."""

    def log(event: str, **fields: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = {"at": at, "from": source, "pid": os.getpid(), "event": event, **fields}
        line = orjson.dumps(told, default=str, option=orjson.OPT_APPEND_NEWLINE)
        # One write a line, so that lines of several processes never mix. A log that cannot be
        # written (a closed pipe, a full disk) is no reason to stop serving.
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), line)

    return log


def sparing(log: Callable[..., None], most_per_s: int) -> Callable[..., None]:
    """Logs so many events a second; how many were left out stands in the next one."""
    second, told, left_out = 0, 0, 0

    def spare(event: str, **fields: object) -> None:
        nonlocal second, told, left_out
        now = int(time.monotonic())
        if now != second:
            second, told = now, 0
        if told >= most_per_s:
            left_out += 1
            return
        told += 1
        if left_out:
            fields["left_out"] = left_out
            left_out = 0
        log(event, **fields)

    return spare

"""Structured logs: one JSON object a line, on standard error."""

from __future__ import annotations

import os
import sys
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
        # one write a line, so that lines of several processes never mix
        os.write(sys.stderr.fileno(), line)

    return log

"""A duckdb of one dataset's own, that spills to disk before it takes the machine's memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from seatrial.data.sources.scratch import Scratch

LIMIT_MB = 1024
"""Scans and counts are as fast with it as without; half of a smaller memory is the limit there."""

_TRAINING_SHARE = 0.8
"""Of the memory, once rows are wanted themselves: a model is trained on all of them at once."""


def connect(scratch: Scratch) -> duckdb.DuckDBPyConnection:
    """A new database in memory; what is too large for it goes into ``scratch``."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{min(LIMIT_MB, _memory_mb() // 2)}MB",
            "temp_directory": str(scratch.path / "spilled"),
        },
    )
    connection.execute("SET enable_progress_bar = false")
    # A Parquet file's bounds leave NaN out; duckdb 2.0 takes them for "no NaN", and miscounts.
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection


def widen(connection: duckdb.DuckDBPyConnection) -> None:
    """Allow what training takes."""
    connection.execute(f"SET memory_limit = '{int(_memory_mb() * _TRAINING_SHARE)}MB'")


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20

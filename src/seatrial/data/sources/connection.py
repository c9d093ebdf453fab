"""A duckdb of one dataset's own, that spills to disk before it takes the machine's memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from seatrial.data.sources.scratch import Scratch

LEAST_MB, THREAD_MB = 256, 128
"""Scans and counts are as fast with so much as with more; each thread has buffers of its own."""

CONVERTING_MB = 192
"""Of each thread that writes text as Parquet; with less, duckdb leaves it all to one thread."""

WIDE_MB = 1024
"""Records, and rows of very many columns, take more: duckdb holds thousands of them at once."""

_TRAINING_SHARE = 0.8
"""Of the memory, once rows are wanted themselves: a model is trained on all of them at once."""


def connect(scratch: Scratch) -> duckdb.DuckDBPyConnection:
    """A new database in memory; what is too large for it goes into ``scratch``."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(scratch.path / "spilled"),
        },
    )
    allow(connection, LEAST_MB)
    connection.execute("SET enable_progress_bar = false")
    # Else all that is asked of a row group is read at once, however large the group is.
    connection.execute("SET disable_parquet_prefetching = true")
    # A Parquet file's bounds leave NaN out; duckdb 2.0 takes them for "no NaN", and miscounts.
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection


def allow(connection: duckdb.DuckDBPyConnection, least_mb: int, thread_mb: int = THREAD_MB) -> None:
    """Allow so much memory, or what the threads take; no more than half of what there is."""
    (threads,) = connection.execute("SELECT current_setting('threads')").fetchone() or (1,)
    limit_mb = min(max(least_mb, thread_mb * threads), _memory_mb() // 2)
    connection.execute(f"SET memory_limit = '{limit_mb}MB'")
    connection.execute(f"SET threads = {max(1, min(threads, 2 * limit_mb // THREAD_MB))}")


def widen(connection: duckdb.DuckDBPyConnection) -> None:
    """Allow what training takes."""
    connection.execute(f"SET memory_limit = '{int(_memory_mb() * _TRAINING_SHARE)}MB'")


def _memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20

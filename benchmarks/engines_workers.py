"""200 runs of ten steps that do nothing, shared by four workers on PostgreSQL, some of them killed.

Each worker has a home of its own, as on a machine of its own; they meet in the ledger only. Beside
it: the same while nobody is killed, and one worker on SQLite. Both databases are on the disk and
synced at every commit.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engines.database import database
from engines.workers import Shared, share
from measuring import Figure
from seatrial.workspace import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS = int(os.environ.get("BENCH_RUNS", "200"))
WORKERS = 4
SEED = 8


def figures() -> list[Figure]:
    """What was lost or done twice, and how long it took."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with _on_postgresql():
            killed = share(folder / "killed", RUNS, WORKERS, SEED)
        with _on_postgresql():
            calm = share(folder / "calm", RUNS, WORKERS, None)
        with _on_postgresql():
            alone = share(folder / "alone", RUNS, 1, None)
        file = share(folder / "file", RUNS, 1, None)
    return [
        Figure(
            name=f"runs and steps lost or done twice, {killed.kills} workers killed",
            value=killed.wrong,
            unit="",
            goal="0",
            met=killed.wrong == 0,
            detail=f"{killed.steps} steps were begun {killed.calls} times; the chain holds",
        ),
        _took(f"{WORKERS} workers on PostgreSQL, one killed every 2 to 3 s", killed),
        _took(f"{WORKERS} workers on PostgreSQL", calm),
        _took("1 worker on PostgreSQL", alone),
        _took("1 worker on SQLite", file),
    ]


def _took(name: str, shared: Shared) -> Figure:
    return Figure(
        name=name,
        value=shared.wall_s,
        unit="s",
        detail=f"{shared.steps / shared.wall_s:.0f} steps a second; processor of the workers:"
        f" {shared.cpu_s / shared.steps * 1000:.1f} ms a step; lost or done twice: {shared.wrong}",
    )


@contextmanager
def _on_postgresql() -> Iterator[None]:
    """A server of its own, that whatever is started here uses."""
    with database() as server:
        os.environ[DATABASE] = server.url
        try:
            yield
        finally:
            del os.environ[DATABASE]

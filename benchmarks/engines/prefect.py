"""Prefect with its server on SQLite: a flow is a process that asks the server."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engines.places import python
from engines.servers import asked, started, until
from gateway.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Prefect:
    """A running server, and what a flow needs to find it."""

    python: Path
    env: Mapping[str, str]
    server: int


@contextmanager
def prefect(home: Path) -> Iterator[Prefect]:
    """Start the server, and wait until it answers."""
    home.mkdir()
    program, port = python("prefect"), free_port()
    env = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    words = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with started([program.with_name("prefect"), *words], home, env) as server:
        until(lambda: bool(asked(f"{env['PREFECT_API_URL']}/health")), "Prefect's server answers")
        yield Prefect(program, env, server)

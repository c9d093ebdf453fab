"""A PostgreSQL server of the tests' own: in a folder of its own, on a free port, gone afterwards.

``from postgres import postgres`` in a conftest makes the fixture known there.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; anybody on this machine may enter as ``postgres`` without a password."""

    port: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests of this process; skips where PostgreSQL is not installed."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running(programs) as server:
        yield server


@contextmanager
def running(programs: Path) -> Iterator[Server]:
    # The server refuses to run as root; another user cannot enter pytest's own folders.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="seatrial-postgres-"))
    try:
        if user:
            shutil.chown(folder, user, user)
        data = folder / "data"
        made: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
        ]
        subprocess.run(made, user=user, group=user, cwd=folder, check=True, capture_output=True)
        port = _free_port()
        words: list[str | Path] = [
            "-D",
            data,
            "-p",
            str(port),
            "-h",
            "127.0.0.1",
            "-k",
            folder,
            "-F",
        ]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", *words], user=user, group=user, cwd=folder,
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            ready: list[str | Path] = [
                programs / "pg_isready",
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-U",
                "postgres",
            ]
            _wait(server, ready, folder / "log")
            yield Server(port)
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: whoever is still connected is cut
            server.wait(PATIENCE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of the server's programs: Debian keeps them out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    places += [Path(on_path).resolve().parent] if on_path else []
    return next((place for place in places if (place / "initdb").exists()), None)


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
    return port


def _wait(server: subprocess.Popen[bytes], ready: list[str | Path], log: Path) -> None:
    ends = time.monotonic() + PATIENCE_S
    while server.poll() is None and time.monotonic() < ends:
        if subprocess.run(ready, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL does not start: {log.read_text(errors='replace')[-500:]}")

"""A PostgreSQL server as Debian sets it up: what is committed is on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines.servers import started, until
from gateway.server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Database:
    """A running server, and the address by which seatrial reaches it."""

    url: str
    server: int


@contextmanager
def database() -> Iterator[Database]:
    """Start one in a folder of its own, on a free port."""
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user, user)
        data = ["-D", str(folder / "data")]
        make = [str(programs / "initdb"), *data, "-U", "postgres", "-A", "trust"]
        subprocess.run(make, user=user, group=user, cwd=folder, check=True, capture_output=True)
        where = ["-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
        with started([str(programs / "postgres"), *data, *where], folder, {}, user=user) as server:
            ask = [str(programs / "pg_isready"), "-q", *where[:4]]
            until(lambda: subprocess.run(ask, check=False).returncode == 0, "PostgreSQL answers")
            yield Database(f"postgresql://postgres@127.0.0.1:{port}/postgres", server)


def _programs() -> Path:
    """The folder of its programs: Debian keeps them out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    places += [Path(on_path).resolve().parent] if on_path else []
    for place in places:
        if (place / "initdb").exists():
            return place
    raise RuntimeError("PostgreSQL is not installed (Debian: apt-get install postgresql)")

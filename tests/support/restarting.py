"""A PostgreSQL server of one test's own, that goes away and comes back on the same port."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from postgres import PATIENCE_S, Server, _programs, running
from shared_places import connected

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stoppable:
    """A running server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        with connected(server) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        assert row
        self.data = Path(row[0])
        self.started: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Cut off everybody, and be gone."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
        ends = time.monotonic() + PATIENCE_S
        while (self.data / "postmaster.pid").exists():
            assert time.monotonic() < ends, "the server does not stop"
            time.sleep(0.01)
        if self.started is not None:
            self.started.wait(PATIENCE_S)
            self.started = None

    def start(self) -> None:
        """Come back."""
        words = shlex.split((self.data / "postmaster.opts").read_text())
        user = self.data.stat().st_uid if os.geteuid() == 0 else None
        with (self.data.parent / "log").open("ab") as log:
            self.started = subprocess.Popen(
                words, user=user, group=user, cwd=self.data.parent, stdout=log, stderr=log
            )
        ends = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert time.monotonic() < ends, "the server does not start"
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            connected(self.server).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def stoppable() -> Iterator[Stoppable]:
    """The server, gone for good afterwards."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running(programs) as server:
        made = Stoppable(server)
        try:
            yield made
        finally:
            if made.started is not None:
                made.stop()

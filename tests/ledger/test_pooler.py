"""A pooler stands in between, and gives each transaction whichever connection is free."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from running import until
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.workspace import now
from shared_places import connected, new_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgres import Server
    from seatrial.ledger.databases.stamp import Stamp
    from seatrial.ledger.store import Transaction

SETTINGS = """
[databases]
{name} = host=127.0.0.1 port={server} dbname={name} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""


@contextmanager
def _pooler(server: Server, name: str) -> Iterator[int]:
    """PgBouncer with two connections to a database; its port."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    # like the server, it does not run as root
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="seatrial-pooler-") as folder:
        file = Path(folder) / "pooler.ini"
        file.write_text(SETTINGS.format(name=name, server=server.port, port=port))
        if user:
            shutil.chown(folder, user)
        pooler = subprocess.Popen(
            [program, "--quiet", file], user=user, group=user, stderr=subprocess.DEVNULL
        )
        try:
            until(lambda: _listens(port), "the pooler listens")
            yield port
        finally:
            pooler.terminate()
            pooler.wait(30)


def _note(said: str, transaction: Transaction) -> None:
    transaction.append("noted", {"n": said})


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_more_writers_than_connections_write_everything_once(postgres: Server) -> None:
    name = new_schema(postgres).rpartition("%3D")[2]
    with connected(postgres) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
    with _pooler(postgres, name) as port:
        address = f"postgresql://postgres@127.0.0.1:{port}/{name}"
        ledgers = [Ledger(address, now) for _ in range(5)]
        stamps: set[Stamp] = set()

        def write(ledger: Ledger, name: int) -> None:
            for number in range(20):
                ledger.write(partial(_note, f"{name} {number}"))
                stamps.add(ledger.stamp())

        writers = [
            threading.Thread(target=write, args=(ledger, number))
            for number, ledger in enumerate(ledgers)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        said = [event.body["n"] for event in ledgers[0].events()]
        assert len(said) == len(set(said)) == 100
        assert ledgers[0].stamp() in stamps
        verify(ledgers[0])
        for ledger in ledgers:
            ledger.close()

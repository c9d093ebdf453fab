"""How is a server of PostgreSQL reached, and for how long is it tried?"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import exc

from seatrial.errors import Mistake, PassingError, UsageError
from seatrial.ledger.databases import address as addresses
from seatrial.ledger.databases import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

AGAIN_S = 0.05
"""How soon it is tried again."""

SETTINGS = {
    "application_name": "seatrial",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""How a line that went dead is noticed, in libpq's words (seconds; the last in milliseconds)."""


class Line:
    """The connections of one process to one server; ``where`` shows its address to people."""

    def __init__(self, address: str) -> None:
        self.where = addresses.shown(address)
        self._engine = _engine(address, self.where)
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self.driver: Any = self._engine.dialect.loaded_dbapi

    @contextlib.contextmanager
    def connected(
        self, until_s: float = 0.0, *, for_reading: bool = False
    ) -> Iterator[sa.Connection]:
        """A connection that works, tried for until then (of the monotonic clock), at least once."""
        engine = self._reader if for_reading else self._engine
        while True:
            try:
                connection = engine.connect()
                break
            except exc.DBAPIError as error:
                found = faults.not_connected(error, self.where)
                if not isinstance(found, PassingError) or time.monotonic() >= until_s:
                    raise found from error
            time.sleep(AGAIN_S)
        with connection:
            yield connection

    def apart(self) -> Any:
        """A connection of the driver's that is the caller's to keep and to close; commits at once.

        What it raises are the driver's own exceptions.
        """
        kept = self._engine.raw_connection()
        connection: Any = kept.driver_connection
        kept.detach()
        connection.autocommit = True
        return connection

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """What the database raises, as ours."""
        try:
            yield
        except exc.DBAPIError as error:
            raise faults.met(error, self.where) from error

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def _engine(address: str, where: str) -> sa.Engine:
    url = addresses.read(address)
    settings = {key: value for key, value in SETTINGS.items() if key not in url.query}
    try:
        return sa.create_engine(
            url,
            isolation_level="READ COMMITTED",  # each statement sees what the last writer left
            pool_pre_ping=True,
            hide_parameters=True,
            use_native_hstore=False,
            connect_args={**settings, "prepare_threshold": None},
        )
    except ImportError as error:
        what = "the driver of PostgreSQL is not installed"
        fix = "pip install 'seatrial[postgres]'"
        raise UsageError(Mistake(what, where=where, fix=fix)) from error

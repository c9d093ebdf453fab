"""The databases that a ledger may lie in: a file of SQLite, or a schema of PostgreSQL.

Each is one file here, and keeps the same promises: one writer at a time; a reader sees one moment
and never waits for the writer; a commit is durable; events are only ever added. To add another,
write the four members of :class:`Database`, name it in :func:`open_database`, put what refuses a
change of events into ``tables.GUARDS``, and add it to the fixture of ``tests/ledger``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from seatrial.ledger.databases.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    import sqlalchemy as sa

    from seatrial.ledger.databases.server_time import ServerTime
    from seatrial.ledger.databases.stamp import Stamp

T = TypeVar("T")


class Database(Protocol):
    """The tables of one ledger, brought to the newest version when it is opened."""

    def write(self, change: Callable[[sa.Connection, datetime | None], T]) -> T:
        """Do ``change`` in one transaction, as the only writer: all of it once, or nothing.

        It may be called again when its transaction was lost. It is told the moment by the clock of
        the database, where that one counts.
        """

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A connection that can only look, at one moment."""

    def stamp(self) -> Stamp:
        """What changes with every commit; for one thread only."""

    def close(self) -> None:
        """Let go of all connections."""


def open_database(
    place: Path | str, busy_ms: Callable[[], int], time: ServerTime | None
) -> Database:
    """The database at ``place``: a file, or an address; its tables are made or renewed.

    ``busy_ms`` is how long a write waits for others, asked whenever that begins to count. ``time``
    is kept by the database's clock.
    """
    if isinstance(place, Path):
        return Sqlite(place, busy_ms)
    # its driver is an extra, and costs a tenth of a second
    from seatrial.ledger.databases.postgresql import Postgresql  # noqa: PLC0415

    return Postgresql(place, busy_ms, time)


def holds_ledger(place: Path | str) -> bool:
    """Whether there is a ledger at ``place``; none is made."""
    if isinstance(place, Path):
        return place.exists()
    from seatrial.ledger.databases import postgresql  # noqa: PLC0415

    return postgresql.holds_ledger(place)

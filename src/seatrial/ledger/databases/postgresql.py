"""A ledger in a schema of PostgreSQL, for any number of machines.

Nothing here needs a session: locks and settings end with their transaction, and no statement is
prepared at the server, so a pooler of connections may stand in between.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.ledger import migrations
from seatrial.ledger.databases import faults, schema
from seatrial.ledger.databases.line import AGAIN_S, Line
from seatrial.ledger.databases.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from seatrial.ledger.databases.server_time import ServerTime

T = TypeVar("T")

SILENT_MS = 10_000
"""A writer that says nothing for so long has died, and its transaction with it: others wait."""

SOON_S = 1.0
"""How long it is tried to reach a server before it is said, when a ledger is opened."""

OURS = 0x5EA7121A
"""Tells our locks from those of other programs in the database."""

_NOW = sa.text("SELECT extract(epoch FROM clock_timestamp())")

_LOCK = sa.text("""
    WITH terms AS MATERIALIZED (
        SELECT set_config('lock_timeout', :busy_ms, true),
               set_config('idle_in_transaction_session_timeout', :silent_ms, true),
               CASE current_setting('synchronous_commit')
                   WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
    ), held AS MATERIALIZED (
        SELECT pg_advisory_xact_lock((CAST(:ours AS bigint) << 32) | n.oid::bigint)
        FROM terms, pg_namespace n WHERE n.nspname = current_schema()
    )
    SELECT extract(epoch FROM clock_timestamp()) FROM held
""")
"""Wait to be the only writer in this schema, then tell the time. A commit is always durable."""

_COUNT = sa.text("""
    WITH wrote AS MATERIALIZED (SELECT pg_current_xact_id_if_assigned() AS id),
    counted AS (
        UPDATE seatrial SET revision = revision + 1 FROM wrote WHERE wrote.id IS NOT NULL
        RETURNING version
    )
    SELECT wrote.id::text AS id, (SELECT version FROM counted) AS version FROM wrote
""")
"""Count a write that changed something, and note the name of its transaction."""

_FATE = sa.text("SELECT pg_xact_status(CAST(:name AS xid8))")

_STAMP = """
    SELECT tableoid::bigint, identity, revision, extract(epoch FROM clock_timestamp())
    FROM seatrial WHERE one = 1
"""


class Postgresql:
    """One writer at a time, by an advisory lock; readers see one moment and wait for nobody."""

    def __init__(
        self, address: str, busy_ms: Callable[[], int], server_time: ServerTime | None
    ) -> None:
        self._line = Line(address)
        self._busy_ms = busy_ms
        self._time = server_time
        self._looking: Any = None
        self._looks = 0
        with contextlib.ExitStack() as undo:
            undo.callback(self._line.close)
            if self._insist(self._version) < len(migrations.STEPS):
                self.write(lambda connection, _at: schema.make(connection, self._line.where))
            undo.pop_all()

    def write(self, change: Callable[[sa.Connection, datetime | None], T]) -> T:
        """One transaction that holds the lock, done anew when its connection is lost."""
        return self._insist(lambda until_s: self._attempt(change, until_s))

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that can only look."""
        until_s = self._until_s()
        with (
            self._line.translated(),
            self._line.connected(until_s, for_reading=True) as connection,
        ):
            yield connection

    def stamp(self) -> Stamp:
        """One look at one row, a tenth of a millisecond; :class:`PassingError` without it."""
        if self._looking is not None:
            with contextlib.suppress(self._line.driver.Error):
                return self._look()
            self._look_no_more()  # its connection has died, perhaps long ago
        try:
            return self._look()
        except self._line.driver.Error as error:
            self._look_no_more()
            what = f"cannot read the ledger: {faults.said_by(error)}"
            raise PassingError(Mistake(what, where=self._line.where)) from error

    def close(self) -> None:
        """Let go of all connections."""
        self._look_no_more()
        self._line.close()

    def _insist(self, attempt: Callable[[float], T]) -> T:
        """Attempt it, again when a connection was lost: what was lost was not done."""
        until_s = self._until_s()
        with self._line.translated():
            while True:
                try:
                    return attempt(until_s)
                except exc.DBAPIError as error:
                    if not error.connection_invalidated or time.monotonic() >= until_s:
                        raise
                time.sleep(AGAIN_S)

    def _version(self, _until_s: float) -> int:
        """Of the ledger that is there. A server that does not answer is told soon."""
        # not as a reader, who would see half of what another is just making
        with self._line.connected(time.monotonic() + SOON_S) as connection:
            version = schema.identify(connection, self._line.where)
            self._tell(connection.execute(_NOW).scalar_one())
        return version

    def _attempt(self, change: Callable[[sa.Connection, datetime | None], T], until_s: float) -> T:
        """A DBAPIError that is raised means that nothing was done."""
        with self._line.connected(until_s) as connection:
            begun = connection.begin()
            try:
                at = self._lock(connection, until_s)
                result = change(connection, at)
                name = self._count(connection)
            except BaseException:
                with contextlib.suppress(exc.DBAPIError):  # a line that died has undone it
                    begun.rollback()
                raise
            try:
                begun.commit()
            except exc.DBAPIError as error:
                lost = name is not None and error.connection_invalidated
                if name is None or not lost or not self._was_committed(name):
                    raise
        return result

    def _lock(self, connection: sa.Connection, until_s: float) -> datetime | None:
        left_ms = max(int((until_s - time.monotonic()) * 1000), 1)
        terms = {"busy_ms": f"{left_ms}ms", "silent_ms": f"{SILENT_MS}ms", "ours": OURS}
        at_s = connection.execute(_LOCK, terms).scalar()
        if at_s is None:
            what = "the schema of the ledger is gone"
            fix = "restore it from a backup"
            raise StoreError(Mistake(what, where=self._line.where, fix=fix))
        return self._tell(at_s)

    def _count(self, connection: sa.Connection) -> str | None:
        """Name of the transaction; ``None`` when it changed nothing."""
        wrote = connection.execute(_COUNT).one()
        if wrote.id is None:
            return None
        if wrote.version is None:
            raise schema.torn(self._line.where)
        migrations.known(wrote.version, self._line.where)  # was it renewed since it was opened?
        return str(wrote.id)

    def _was_committed(self, name: str) -> bool:
        """What became of a transaction whose connection was lost while it was committed."""
        until_s = self._until_s()
        while True:
            fate: str | None = None
            with (
                contextlib.suppress(exc.DBAPIError, StoreError),
                self._line.connected(until_s) as connection,
            ):
                fate = connection.execute(_FATE, {"name": name}).scalar()
            if fate in {"committed", "aborted"}:
                return fate == "committed"
            if time.monotonic() >= until_s:
                raise StoreError(_nobody_knows(self._line.where))
            time.sleep(AGAIN_S)

    def _look(self) -> Stamp:
        """The row as it is committed now, through a connection of its own that is kept."""
        if self._looking is None:
            self._looking = self._line.apart()
            self._looks += 1
        row = self._looking.execute(_STAMP).fetchone()
        if row is None:
            raise PassingError(Mistake("there is no ledger", where=self._line.where))
        table, identity, revision, at_s = row
        self._tell(at_s)
        return Stamp(f"{identity}/{table}", revision, self._looks)

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.close()
            self._looking = None

    def _tell(self, at_s: Decimal) -> datetime | None:
        return self._time.tell(at_s) if self._time is not None else None

    def _until_s(self) -> float:
        return time.monotonic() + self._busy_ms() / 1000


def holds_ledger(address: str) -> bool:
    """Whether there is a ledger at ``address``; none is made."""
    with (
        contextlib.closing(Line(address)) as line,
        line.translated(),
        line.connected() as connection,
    ):
        return schema.identify(connection, line.where) > 0


def _nobody_knows(where: str) -> Mistake:
    return Mistake(
        "the connection was lost while the ledger was written, and the database did not say"
        " whether that was done",
        where=where,
        fix="run again: what was done is not done twice",
    )

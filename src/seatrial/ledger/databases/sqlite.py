"""A ledger in a file of SQLite: WAL, synchronous FULL, for one machine."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc

from seatrial.errors import Mistake, PassingError, StoreError, UsageError
from seatrial.ledger import migrations
from seatrial.ledger.databases.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

T = TypeVar("T")

APPLICATION_ID = 0x5EA7121A
"""Marks a SQLite file as a seatrial ledger (``PRAGMA application_id``)."""


class Sqlite:
    """One writer at a time, by the file's lock; time is that of this machine."""

    def __init__(self, file: Path, busy_ms: Callable[[], int]) -> None:
        self._file = file
        identify(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        # mode=rw: a ledger that vanishes while we run must not come back as an empty one
        self._writer = _engine(file, "rw", busy_ms)
        with self._translated():
            _migrate(self._writer, file)
        # A reader of its own: the writer's BEGIN IMMEDIATE would queue every look.
        self._reader = _engine(file, "ro", busy_ms)
        self._looking: sqlite3.Connection | None = None
        self._looked_at = 0

    def write(self, change: Callable[[sa.Connection, datetime | None], T]) -> T:
        """One transaction, that holds the write lock from its beginning."""
        with self._translated(), self._writer.begin() as connection:
            return change(connection, None)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that can only look."""
        with self._translated(), self._reader.connect() as connection:
            yield connection

    def stamp(self) -> Stamp:
        """Changes with every commit of another connection; a look costs microseconds.

        Source: SQLite's ``PRAGMA data_version``. When the file was replaced by another, everything
        is opened anew; :class:`PassingError` while there is none.
        """
        try:
            found = self._file.stat()
            if self._looking is None or self._looked_at != found.st_ino:
                self._reopen(found.st_ino)
            assert self._looking is not None
            version = int(self._looking.execute("PRAGMA data_version").fetchone()[0])
        except (OSError, sqlite3.DatabaseError) as error:
            mistake = Mistake(f"cannot read the ledger: {error}", where=str(self._file))
            raise PassingError(mistake) from error
        return Stamp(found.st_ino, version)

    def close(self) -> None:
        """Let go of the file."""
        if self._looking is not None:
            self._looking.close()
        self._writer.dispose()
        self._reader.dispose()

    def _reopen(self, inode: int) -> None:
        if self._looking is not None:
            self._looking.close()
            self._writer.dispose()
            self._reader.dispose()
        uri = f"{_uri_of(self._file)}?mode=ro"
        self._looking = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._looked_at = inode

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Its exceptions into ours: a lock may pass, anything else may not."""
        try:
            yield
        except exc.DBAPIError as error:
            text = str(error.orig)
            mistake = Mistake(f"the ledger cannot be used: {text}", where=str(self._file))
            if "locked" in text or "busy" in text:
                raise PassingError(mistake) from error
            raise StoreError(mistake) from error


def identify(file: Path) -> int:
    """Version of the ledger in ``file`` (0: none yet); refuses a stranger's and a newer one."""
    if not file.exists() or file.stat().st_size == 0:
        return 0
    try:
        # mode=ro so that looking never creates or repairs anything in a stranger's file
        with contextlib.closing(
            sqlite3.connect(f"{_uri_of(file)}?mode=ro", uri=True)
        ) as connection:
            connection.execute("BEGIN")  # one moment of a file that another may just be making
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise UsageError(_not_ours(file, str(error))) from error
    if not tables:
        return 0
    if application != APPLICATION_ID:
        raise UsageError(_not_ours(file, "it belongs to another program"))
    return migrations.known(version, str(file))


def _migrate(engine: sa.Engine, file: Path) -> None:
    """Bring the ledger to the newest version; an existing one is copied aside first."""
    steps = migrations.STEPS
    if identify(file) == len(steps):
        return
    with engine.begin() as connection:
        # the transaction holds the write lock: a rival that was first has done it all
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if 0 < version < len(steps):
            _back_up(file, version)
        for step in steps[version:]:
            step(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")


def _back_up(file: Path, version: int) -> None:
    """A consistent copy beside the ledger, complete or absent; the caller keeps writers out."""
    target = file.with_name(f"{file.name}.v{version}.bak")
    partial = target.with_suffix(".part")
    partial.unlink(missing_ok=True)  # of a migration that was killed
    with (
        contextlib.closing(sqlite3.connect(file)) as source,
        contextlib.closing(sqlite3.connect(partial)) as copy,
    ):
        source.backup(copy)
    shutil.move(partial, target)


def _engine(file: Path, mode: str, busy_ms: Callable[[], int]) -> sa.Engine:
    query = {"mode": mode, "uri": "true"}
    engine = sa.create_engine(sa.URL.create("sqlite", database=_uri_of(file), query=query))
    read_only = mode == "ro"

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_ms()}")
        cursor.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _uri_of(file: Path) -> str:
    """A file as SQLite's URI names it: in a folder's name, # and ? would end the path.

    >>> from pathlib import Path
    >>> _uri_of(Path("/c#/ledger.db"))
    'file:/c%23/ledger.db'
    """
    return f"file:{quote(str(file))}"


def _not_ours(file: Path, why: str) -> Mistake:
    return Mistake(
        f"not a ledger of seatrial: {why}",
        where=str(file),
        fix="move the file away, or point SEATRIAL_HOME to another folder; nothing was changed",
    )

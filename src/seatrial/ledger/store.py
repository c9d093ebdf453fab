"""The ledger itself: append events with their projections; read without taking the write lock."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.ledger import migrations
from seatrial.ledger.tables import EVENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from seatrial.workspace import Workspace

T = TypeVar("T")

GENESIS = "0" * 64
BUSY_TIMEOUT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it stands in the chain."""

    seq: int
    at: str
    kind: str
    body: Mapping[str, object]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which file the ledger is, and its count of commits as one connection sees it."""

    file: int
    commits: int


def canonical(value: object) -> str:
    """JSON with one spelling: sorted keys, no spaces.

    >>> canonical({"b": 1, "a": [None, 0.5]})
    '{"a":[null,0.5],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def link(seq: int, at: str, kind: str, body: str, prev: str) -> str:
    """Hash of an event: SHA-256 over its place, time, kind, body and the hash before it."""
    return hashlib.sha256(canonical([seq, at, kind, body, prev]).encode()).hexdigest()


class Transaction:
    """One open write: every event appended and every table changed through it, or nothing."""

    def __init__(self, connection: sa.Connection, at: str) -> None:
        self.connection = connection
        self.at = at

    def append(self, kind: str, body: Mapping[str, object]) -> Stored:
        """Add an event to the end of the chain."""
        last = self.connection.execute(
            sa.select(EVENT.c.seq, EVENT.c.hash).order_by(EVENT.c.seq.desc()).limit(1)
        ).first()
        seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
        text = canonical(body)
        stored = Stored(seq, self.at, kind, body, prev, link(seq, self.at, kind, text, prev))
        self.connection.execute(
            EVENT.insert().values(
                seq=seq, at=self.at, kind=kind, body=text, prev=prev, hash=stored.hash
            )
        )
        return stored


class Ledger:
    """SQLite (WAL, synchronous FULL): one writer at a time, readers never wait for it."""

    def __init__(
        self, file: Path, clock: Callable[[], datetime], busy_ms: int | None = None
    ) -> None:
        """``busy_ms`` is how long a write waits for others; :data:`BUSY_TIMEOUT_MS` unless said."""
        self.file = file
        self.clock = clock
        migrations.identify(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        # mode=rw: a ledger that vanishes while we run must not come back as an empty one
        self._writer = _engine(file, "rw", busy_ms)
        with _translated(file):
            migrations.migrate(self._writer, file, migrations.STEPS)
        # A reader of its own: the writer's BEGIN IMMEDIATE would queue every look.
        self._reader = _engine(file, "ro", busy_ms)
        self._looking: sqlite3.Connection | None = None
        self._looked_at = 0

    def write(self, change: Callable[[Transaction], T]) -> T:
        """Run ``change`` in one transaction; what it raises undoes all of it."""
        with _translated(self.file), self._writer.begin() as connection:
            return change(Transaction(connection, self.clock().isoformat()))

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that can only look."""
        with _translated(self.file), self._reader.connect() as connection:
            yield connection

    def stamp(self) -> Stamp:
        """What changes with every commit of another process; a look costs microseconds.

        For one thread only. Source: SQLite's ``PRAGMA data_version``. When the file was replaced
        by another, everything is opened anew; :class:`PassingError` while there is none.
        """
        try:
            found = self.file.stat()
            if self._looking is None or self._looked_at != found.st_ino:
                self._reopen(found.st_ino)
            assert self._looking is not None
            version = int(self._looking.execute("PRAGMA data_version").fetchone()[0])
        except (OSError, sqlite3.DatabaseError) as error:
            mistake = Mistake(f"cannot read the ledger: {error}", where=str(self.file))
            raise PassingError(mistake) from error
        return Stamp(found.st_ino, version)

    def _reopen(self, inode: int) -> None:
        if self._looking is not None:
            self._looking.close()
            self._writer.dispose()
            self._reader.dispose()
        uri = f"{migrations.uri_of(self.file)}?mode=ro"
        self._looking = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._looked_at = inode

    def events(self, kind: str | None = None) -> Iterator[Stored]:
        """The chain, oldest first."""
        with self.read() as connection:
            yield from events_in(connection, kind)

    def head(self) -> str:
        """Hash of the last event: note it elsewhere, and a cut tail can be proven."""
        with self.read() as connection:
            query = sa.select(EVENT.c.hash).order_by(EVENT.c.seq.desc()).limit(1)
            return connection.execute(query).scalar() or GENESIS

    def close(self) -> None:
        """Let go of the files."""
        if self._looking is not None:
            self._looking.close()
        self._writer.dispose()
        self._reader.dispose()


def open_ledger(
    workspace: Workspace, *, existing: bool = False, busy_ms: int | None = None
) -> Ledger:
    """The ledger of a project; with ``existing``, :class:`PassingError` while there is none."""
    if existing and not workspace.ledger.exists():
        raise PassingError(Mistake("there is no ledger", where=str(workspace.ledger)))
    return Ledger(workspace.ledger, workspace.clock, busy_ms)


def events_in(connection: sa.Connection, kind: str | None = None) -> Iterator[Stored]:
    """The chain as an open look sees it, oldest first."""
    query = sa.select(EVENT).order_by(EVENT.c.seq)
    if kind:
        query = query.where(EVENT.c.kind == kind)
    for row in connection.execute(query):
        yield Stored(row.seq, row.at, row.kind, json.loads(row.body), row.prev, row.hash)


class _translated:  # noqa: N801 - used as a verb
    """Turns the database's exceptions into ours: a lock may pass, anything else may not."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, exc.DBAPIError):
            return
        text = str(error.orig)
        mistake = Mistake(f"the ledger cannot be used: {text}", where=str(self.file))
        if "locked" in text or "busy" in text:
            raise PassingError(mistake) from error
        raise StoreError(mistake) from error


def _engine(file: Path, mode: str, busy_ms: int | None) -> sa.Engine:
    query = {"mode": mode, "uri": "true"}
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=migrations.uri_of(file), query=query)
    )
    read_only = mode == "ro"

    @sa.event.listens_for(engine, "connect")
    def _settings(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_ms or BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        if not read_only:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine

"""The ledger itself: append events with their projections; read without taking the write lock."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from seatrial.errors import Mistake, PassingError, UsageError
from seatrial.ledger.databases import address, holds_ledger, open_database
from seatrial.ledger.databases.server_time import ServerTime
from seatrial.ledger.moved import moved
from seatrial.ledger.tables import EVENT
from seatrial.workspace import DATABASE, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from seatrial.ledger.databases.stamp import Stamp
    from seatrial.workspace import Workspace

T = TypeVar("T")

GENESIS = "0" * 64
BUSY_TIMEOUT_MS = 30_000

MANY = 1000
"""How many events are in memory at a time, when the whole chain is read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it stands in the chain."""

    seq: int
    at: str
    kind: str
    body: Mapping[str, object]
    prev: str
    hash: str


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
    """The events and their tables: one writer at a time, readers never wait for it."""

    def __init__(
        self, place: Path | str, clock: Callable[[], datetime], busy_ms: int | None = None
    ) -> None:
        """``place`` is a file of SQLite, or the address of a PostgreSQL database.

        ``busy_ms`` is how long a write waits for others; :data:`BUSY_TIMEOUT_MS` unless said.
        Where several machines share a ledger, the clock is that of their database, unless
        ``clock`` is another than this machine's.
        """
        ours = clock is now or isinstance(clock, ServerTime)
        server_time = ServerTime() if isinstance(place, str) and ours else None
        self.place = place
        self.clock: Callable[[], datetime] = server_time or clock
        self._database = open_database(place, lambda: busy_ms or BUSY_TIMEOUT_MS, server_time)
        self._demand: Callable[[Transaction], None] | None = None
        self._open = threading.local()

    @property
    def where(self) -> str:
        """The place as people are shown it, without a password."""
        return _shown(self.place)

    @property
    def shared(self) -> bool:
        """Whether other machines may have it too."""
        return not isinstance(self.place, Path)

    @property
    def file(self) -> Path:
        """The place of a ledger in SQLite."""
        assert isinstance(self.place, Path)
        return self.place

    def write(self, change: Callable[[Transaction], T]) -> T:
        """Run ``change`` in one transaction; what it raises undoes all of it.

        It may be run again when a connection was lost, and must change nothing else.
        """

        def stamped(connection: sa.Connection, at: datetime | None) -> T:
            transaction = Transaction(connection, (at or self.clock()).isoformat())
            if self._demand is not None:
                self._demand(transaction)
            return change(transaction)

        return self._database.write(stamped)

    def demanding(self, demand: Callable[[Transaction], None]) -> Ledger:
        """The same ledger, for somebody whose every write begins with ``demand``, which refuses."""
        other = copy.copy(self)
        other._demand = demand  # noqa: SLF001 - one of its own kind
        return other

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that can only look."""
        held: sa.Connection | None = getattr(self._open, "connection", None)
        if held is not None:
            yield held
            return
        with self._database.read() as connection:
            yield connection

    @contextlib.contextmanager
    def one_connection(self) -> Iterator[None]:
        """All that this thread reads within comes over one connection: a server is asked less.

        For who only looks: PostgreSQL shows within what stood there at the first look.
        """
        with self.read() as connection:
            outer = getattr(self._open, "connection", None)
            self._open.connection = connection
            try:
                yield
            finally:
                self._open.connection = outer

    def stamp(self) -> Stamp:
        """What changes with every commit of another process; a look takes next to nothing.

        For one thread only. :class:`PassingError` while there is no ledger; when it was replaced
        by another, everything is opened anew.
        """
        return self._database.stamp()

    def events(self, kind: str | None = None) -> Iterator[Stored]:
        """The chain, oldest first."""
        with self.read() as connection:
            yield from events_in(connection, kind)

    def head(self) -> str:
        """Hash of the last event: note it elsewhere, and a cut tail can be proven."""
        with self.read() as connection:
            query = sa.select(EVENT.c.hash).order_by(EVENT.c.seq.desc()).limit(1)
            return connection.execute(query).scalar() or GENESIS

    def first(self) -> str | None:
        """Hash of the first event, which no other ledger has; ``None`` while there is no event."""
        with self.read() as connection:
            return connection.execute(sa.select(EVENT.c.hash).where(EVENT.c.seq == 1)).scalar()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def open_ledger(
    workspace: Workspace, *, existing: bool = False, busy_ms: int | None = None
) -> Ledger:
    """The ledger of a project; with ``existing``, :class:`PassingError` while there is none."""
    if existing and not has_ledger(workspace):
        raise PassingError(Mistake("there is no ledger", where=_shown(_place(workspace))))
    ledger = Ledger(_place(workspace), workspace.clock, busy_ms)
    _demand_ours(workspace, ledger)
    return ledger


def _demand_ours(workspace: Workspace, ledger: Ledger) -> None:
    """Refuse another ledger than the one to which that of this home was moved."""
    said = moved(workspace.home)
    if said.first is None or ledger.first() == said.first:
        return
    ledger.close()
    raise UsageError(
        Mistake(
            f"this is not the ledger of this project, which moved to {said.database}",
            where=ledger.where,
            fix=f"correct {DATABASE}, or point SEATRIAL_HOME to another folder",
        )
    )


def has_ledger(workspace: Workspace) -> bool:
    """Whether the project has a ledger; none is made."""
    return holds_ledger(_place(workspace))


def _place(workspace: Workspace) -> Path | str:
    return workspace.database or workspace.ledger


def _shown(place: Path | str) -> str:
    return str(place) if isinstance(place, Path) else address.shown(place)


def events_in(connection: sa.Connection, kind: str | None = None) -> Iterator[Stored]:
    """The chain as an open look sees it, oldest first."""
    query = sa.select(EVENT).order_by(EVENT.c.seq).execution_options(yield_per=MANY)
    if kind:
        query = query.where(EVENT.c.kind == kind)
    with connection.execute(query) as rows:  # closed also when nobody wants the rest
        for row in rows:
            yield Stored(row.seq, row.at, row.kind, json.loads(row.body), row.prev, row.hash)

"""Copy a ledger into another database: the whole chain and every table, or nothing.

The copy is the same history: its events keep their numbers, times and hashes. So whoever noted a
head of the old ledger finds it in the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, StoreError, UsageError
from seatrial.ledger.store import GENESIS
from seatrial.ledger.tables import EVENT, METADATA
from seatrial.ledger.verify import verify
from seatrial.workspace import DATABASE

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger, Transaction

AT_ONCE = 500
"""Rows that are inserted by one statement."""

OTHERS = tuple(table for table in METADATA.sorted_tables if table is not EVENT)
"""What is kept beside the events, each table after those that it refers to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What of the old ledger is in the new one: the events up to ``head``, and ``rows`` of tables.

    ``since`` counts the events that the new one has beyond that: it was in use already, and
    nothing was copied.
    """

    events: int
    head: str
    rows: int
    since: int = 0


def copy(old: sa.Connection, new: Ledger) -> Copied:
    """Copy what the new ledger lacks, in one transaction.

    UsageError, with nothing changed, when it holds another history than the old one.
    """

    def change(transaction: Transaction) -> Copied:
        events, head = _end(old)
        there = _shared(old, transaction.connection, new)
        if there > events:
            return Copied(events=events, head=head, rows=0, since=there - events)
        _add(old, transaction.connection, sa.select(EVENT).where(EVENT.c.seq > there), EVENT)
        for table in reversed(OTHERS):
            transaction.connection.execute(table.delete())
        rows = sum(_add(old, transaction.connection, sa.select(t), t) for t in OTHERS)
        return Copied(events=events, head=head, rows=rows)

    return new.write(change)


def prove(old: sa.Connection, new: Ledger, copied: Copied) -> None:
    """The new ledger's chain holds the old one, and its tables are those of the old one.

    StoreError where that is not so.
    """
    verify(new, copied.head)
    if copied.since:
        return
    with new.read() as connection:
        for table in OTHERS:  # of the events the hashes have proven it
            ordered = sa.select(table).order_by(*table.primary_key.columns)
            if old.execute(ordered).all() != connection.execute(ordered).all():
                raise StoreError(
                    Mistake(
                        f"the copied table {table.name!r} is not as the old one",
                        where=new.where,
                        fix="empty that schema, and run the same command; the old ledger counts",
                    )
                )


def close(old: sa.Connection, where: str) -> None:
    """Let nobody add to the old ledger, however long ago they opened it."""
    why = f"the ledger was moved to {where}: set {DATABASE}".replace("'", "''")
    old.exec_driver_sql(
        "CREATE TRIGGER IF NOT EXISTS event_moved BEFORE INSERT ON event"
        f" BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


def _shared(old: sa.Connection, new: sa.Connection, ledger: Ledger) -> int:
    """How many events the new ledger has, all or the first of them those of the old one."""
    (mine, _), (there, _) = _end(old), _end(new)
    last = min(mine, there)
    if there and (not last or _hash(old, last) != _hash(new, last)):
        raise UsageError(
            Mistake(
                "there is another ledger already, or one that went on otherwise than the one here",
                where=ledger.where,
                fix="give this project a schema of its own: …?options=-csearch_path=NAME;"
                " nothing was changed",
            )
        )
    return there


def _end(connection: sa.Connection) -> tuple[int, str]:
    """Number and hash of the last event."""
    query = sa.select(EVENT.c.seq, EVENT.c.hash).order_by(EVENT.c.seq.desc()).limit(1)
    last = connection.execute(query).first()
    return (last.seq, last.hash) if last else (0, GENESIS)


def _hash(connection: sa.Connection, seq: int) -> str | None:
    return connection.execute(sa.select(EVENT.c.hash).where(EVENT.c.seq == seq)).scalar()


def _add(
    old: sa.Connection, new: sa.Connection, query: sa.Select[tuple[object, ...]], table: sa.Table
) -> int:
    """Insert what the query finds, in the order of the key; how many rows that were."""
    count = 0
    found = old.execute(query.order_by(*table.primary_key.columns))
    for part in found.mappings().partitions(AT_ONCE):
        new.execute(table.insert(), [dict(row) for row in part])
        count += len(part)
    return count

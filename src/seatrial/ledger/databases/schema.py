"""Whose schema of PostgreSQL is this, and how new is the ledger in it?"""

from __future__ import annotations

import sqlalchemy as sa

from seatrial.errors import Mistake, PassingError, StoreError, UsageError
from seatrial.ledger import migrations
from seatrial.ledger.texts import SHORT
from seatrial.workspace import new_id

MARK = sa.Table(
    "seatrial",
    sa.MetaData(),
    sa.Column("one", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("identity", SHORT, nullable=False),
    sa.CheckConstraint("one = 1"),
)
"""One row: it marks a schema as a ledger's, and every write counts ``revision`` up."""

OLDEST = 130_000
"""PostgreSQL 13: the first that says of a lost transaction what became of it."""

_LOOK = sa.text("""
    SELECT current_setting('server_version_num')::int AS server,
           current_setting('server_encoding') AS encoding,
           current_setting('search_path') AS path,
           pg_is_in_recovery() AS reads_only,
           current_schema() AS name,
           to_regclass(quote_ident(current_schema()) || '.seatrial') IS NOT NULL AS marked,
           (
               SELECT min(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
               AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                               AND d.objid = c.oid AND d.deptype = 'e')
           ) AS held
""")
"""What an extension keeps in a schema is nobody's."""


def identify(connection: sa.Connection, where: str) -> int:
    """Version of the ledger in the current schema (0: none yet).

    UsageError for one that belongs to others or is newer, and for a server that cannot keep one.
    """
    found = connection.execute(_LOOK).one()
    if found.name is None:
        raise _unfit(
            f"the database has no schema that search_path ({found.path}) names",
            where,
            "CREATE SCHEMA it, or correct ?options=-csearch_path=NAME",
        )
    if found.marked:
        return migrations.known(_version(connection, where), where)
    if found.held is not None:
        raise _unfit(
            f"the schema {found.name!r} holds a table {found.held!r} that is not of seatrial",
            where,
            "CREATE SCHEMA seatrial, and add ?options=-csearch_path=seatrial to the address;"
            " nothing was changed",
        )
    if found.server < OLDEST:
        what = f"PostgreSQL {found.server // 10_000} is too old for a ledger"
        raise _unfit(what, where, f"use version {OLDEST // 10_000} or newer")
    if found.encoding != "UTF8":
        what = f"the database is of encoding {found.encoding}, which cannot keep every text"
        raise _unfit(what, where, "make one with `createdb -E UTF8 -T template0 NAME`")
    if found.reads_only:
        what = "this server only takes reads, and there is no ledger in it yet"
        raise PassingError(Mistake(what, where=where, fix="name the primary server"))
    return 0


def make(connection: sa.Connection, where: str) -> None:
    """Bring the ledger to the newest version, within a transaction that holds the lock."""
    version = identify(connection, where)  # a rival that was first has done it all
    if version == 0:
        MARK.create(connection)
        row = {"one": 1, "version": 0, "revision": 0, "identity": new_id()}
        connection.execute(MARK.insert().values(**row))
    for step in migrations.STEPS[version:]:
        step(connection)
    connection.execute(MARK.update().values(version=len(migrations.STEPS)))


def _version(connection: sa.Connection, where: str) -> int:
    columns = set(
        connection.execute(
            sa.text("""
                SELECT attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
                AND attrelid = to_regclass(quote_ident(current_schema()) || '.seatrial')
            """)
        ).scalars()
    )
    if not columns.issuperset(MARK.columns.keys()):
        what = "the schema holds a table 'seatrial' that is not a ledger's"
        raise _unfit(what, where, "use another schema: ?options=-csearch_path=NAME")
    version = connection.execute(sa.select(MARK.c.version)).scalar()
    if version is None:
        raise torn(where)
    return int(version)


def torn(where: str) -> StoreError:
    """Somebody has emptied the table that marks the ledger."""
    what = "the ledger's own row, in the table 'seatrial', is gone"
    return StoreError(Mistake(what, where=where, fix="restore the ledger from a backup"))


def _unfit(what: str, where: str, fix: str) -> UsageError:
    return UsageError(Mistake(what, where=where, fix=fix))

"""A table or a query of a database, through SQLAlchemy: its rows stream into the scratch."""

from __future__ import annotations

import os
import urllib.parse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import exc

from seatrial.data.sources import Opened
from seatrial.data.sources.refusals import unique_names
from seatrial.data.sources.streamed import Stream
from seatrial.errors import FormError, Mistake, PassingError, StoreError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.data.dataset import Dataset
    from seatrial.data.sources import Place

BATCH = 10_000
"""Rows that are fetched at once. The fingerprint is made of such batches: never change it."""

_NO_PERMISSION = "42501"
"""PostgreSQL's code for what this user may not read."""

_LINE = 160


def open_sql(place: Place) -> Opened:
    """Make the relation ``rows`` from what a database answers, in the order of its answer.

    A table comes in the order of its primary key. Where neither that nor an ORDER BY decides, the
    database does, and the fingerprint may differ next time.
    """
    dataset = place.dataset
    engine = _engine(dataset)
    try:
        with _connected(dataset, engine) as connection, _asked(dataset):
            answer = _answer(dataset, connection)
            names = [str(name) for name in answer.keys()]  # noqa: SIM118 - a Result is no mapping
            unique_names(dataset, names)
            stream = Stream(place, names)
            for rows in answer.partitions(BATCH):
                stream.write(rows)
    finally:
        engine.dispose()
    return Opened(stream.finish(), rows=stream.rows)


def _engine(dataset: Dataset) -> sa.Engine:
    address = dataset.database
    if dataset.database_env:
        address = os.environ.get(dataset.database_env)
        if not address:
            what = f"dataset {dataset.name!r}: the variable {dataset.database_env} is not set"
            fix = f"export {dataset.database_env}=postgresql+psycopg://user:password@host/name"
            raise StoreError(Mistake(what, where=dataset.place, fix=fix))
    try:
        url = sa.make_url(str(address))
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() == "sqlite":
            url = _read_only(dataset, url)
        return sa.create_engine(url, poolclass=sa.pool.NullPool, hide_parameters=True)
    except exc.ArgumentError:  # its own words may hold the password
        what = f"dataset {dataset.name!r}: the address of the database cannot be understood"
        fix = "write such as sqlite:///flights.db or postgresql+psycopg://user@host/name"
        raise FormError(Mistake(what, where=dataset.place, fix=fix)) from None
    except ImportError as fault:
        kind = str(address).partition(":")[0]
        what = f"dataset {dataset.name!r}: the driver of {kind} is not installed"
        postgres = kind.startswith("postgresql")
        fix = "pip install 'seatrial[postgres]'" if postgres else f"install it ({fault})"
        raise FormError(Mistake(what, where=dataset.place, fix=fix)) from fault


def _read_only(dataset: Dataset, url: sa.URL) -> sa.URL:
    """SQLite makes a file that does not exist; so it is opened in a way that never writes."""
    file = Path(url.database or "")
    if not file.is_file():
        files = [f.name for f in file.parent.glob("*")] if file.parent.is_dir() else []
        what = f"dataset {dataset.name!r}: there is no database {file.name!r}"
        fix = "correct `database:`; sqlite:///x.db starts at the project folder"
        near = nearest(file.name, files)
        raise FormError(Mistake(what, where=dataset.place, nearest=near, fix=fix))
    path = urllib.parse.quote(str(file.absolute()))
    return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})


@contextmanager
def _connected(dataset: Dataset, engine: sa.Engine) -> Iterator[sa.Connection]:
    try:
        connection = engine.connect()
    except exc.DBAPIError as fault:
        what = f"dataset {dataset.name!r}: the database does not let us in:\n  {_said(fault)}"
        fix = "start it, or correct its address, user and password; then run again"
        raise PassingError(Mistake(what, where=dataset.place, fix=fix)) from fault
    if engine.dialect.name == "postgresql":
        connection = connection.execution_options(postgresql_readonly=True)
    with connection:
        yield connection


@contextmanager
def _asked(dataset: Dataset) -> Iterator[None]:
    """What a database answers to a question that it cannot answer."""
    try:
        yield
    except exc.DBAPIError as fault:
        original = fault.orig
        broken = fault.connection_invalidated or "locked" in str(original)
        if broken or getattr(original, "sqlstate", "") in {_NO_PERMISSION, None}:
            what = f"dataset {dataset.name!r}: the database stopped the reading:\n  {_said(fault)}"
            fix = "allow this user to read it, or run again when the database answers"
            raise PassingError(Mistake(what, where=dataset.place, fix=fix)) from fault
        what = f"dataset {dataset.name!r}: the database cannot answer:\n  {_said(fault)}"
        fix = "correct `table:` or `query:` under `datasets:`"
        raise FormError(Mistake(what, where=dataset.place, fix=fix)) from fault


def _said(fault: exc.DBAPIError) -> str:
    """The first line of the database's own words; a driver never repeats the password in it."""
    return " ".join(str(fault.orig).strip().splitlines()[:1])[:_LINE]


def _answer(dataset: Dataset, connection: sa.Connection) -> sa.Result[Any]:
    streamed = {"stream_results": True, "max_row_buffer": BATCH}
    if dataset.query:
        # Without parameters, % and : in it mean what they mean to the database.
        options = {**streamed, "no_parameters": True}
        query = dataset.query.strip().rstrip(";")
        return connection.exec_driver_sql(query, execution_options=options)
    return connection.execute(_rows_of(dataset, connection), execution_options=streamed)


def _rows_of(dataset: Dataset, connection: sa.Connection) -> sa.Select[Any]:
    """All columns of a table or view, by its primary key."""
    schema, _, name = str(dataset.table).rpartition(".")
    inspector = sa.inspect(connection)
    known = [
        *inspector.get_table_names(schema or None),
        *inspector.get_view_names(schema or None),
    ]
    if connection.dialect.name == "postgresql":
        known += inspector.get_materialized_view_names(schema or None)
    if name not in known:
        near = nearest(name, known)
        what = f"dataset {dataset.name!r}: the database has no table {dataset.table!r}"
        full = f"{schema}.{near}" if schema and near else near
        fix = "correct `table:` under `datasets:`; a table elsewhere is written SCHEMA.TABLE"
        raise FormError(Mistake(what, where=dataset.place, nearest=full, fix=fix))
    key = inspector.get_pk_constraint(name, schema or None)["constrained_columns"]
    table = sa.table(name, *(sa.column(column) for column in key), schema=schema or None)
    return sa.select(sa.text("*")).select_from(table).order_by(*(table.c[k] for k in key))

"""From any older ledger to today's: forward only, each step in a transaction, after a backup."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from seatrial.errors import Mistake, UsageError
from seatrial.ledger.tables import FIRST, FOURTH, GUARDS, METADATA, SECOND, THIRD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlalchemy as sa

APPLICATION_ID = 0x5EA7121A
"""Marks a SQLite file as a seatrial ledger (``PRAGMA application_id``)."""


def _first(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=FIRST)
    for guard in GUARDS:
        connection.exec_driver_sql(guard)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _second(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=SECOND)


def _third(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=THIRD)


def _fourth(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=FOURTH)


STEPS: tuple[Callable[[sa.Connection], None], ...] = (_first, _second, _third, _fourth)
"""Step ``i`` takes a ledger of version ``i`` to version ``i + 1``; steps are only ever added."""


def uri_of(file: Path) -> str:
    """A file as SQLite's URI names it: in a folder's name, # and ? would end the path.

    >>> from pathlib import Path
    >>> uri_of(Path("/c#/ledger.db"))
    'file:/c%23/ledger.db'
    """
    return f"file:{quote(str(file))}"


def identify(file: Path) -> int:
    """Version of the ledger in ``file`` (0: none yet); refuses a stranger's and a newer one."""
    if not file.exists() or file.stat().st_size == 0:
        return 0
    try:
        # mode=ro so that looking never creates or repairs anything in a stranger's file
        with closing(sqlite3.connect(f"{uri_of(file)}?mode=ro", uri=True)) as connection:
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
    if version > len(STEPS):
        raise UsageError(
            Mistake(
                f"the ledger has version {version}, newer than {len(STEPS)}, the last one known",
                where=str(file),
                fix="install a newer seatrial; nothing was changed",
            )
        )
    return version


def migrate(
    engine: sa.Engine, file: Path, steps: tuple[Callable[[sa.Connection], None], ...]
) -> None:
    """Bring the ledger to the newest version; an existing one is copied aside first."""
    if identify(file) == len(steps):
        return
    with engine.begin() as connection:
        # the transaction holds the write lock: a rival that was first has done it all
        version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if 0 < version < len(steps):
            _back_up(file, version)
        for step in steps[version:]:
            step(connection)
        connection.exec_driver_sql(f"PRAGMA user_version = {len(steps)}")


def _back_up(file: Path, version: int) -> None:
    """A consistent copy beside the ledger, complete or absent; the caller keeps writers out."""
    target = file.with_name(f"{file.name}.v{version}.bak")
    partial = target.with_suffix(".part")
    partial.unlink(missing_ok=True)  # of a migration that was killed
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
    shutil.move(partial, target)


def _not_ours(file: Path, why: str) -> Mistake:
    return Mistake(
        f"not a ledger of seatrial: {why}",
        where=str(file),
        fix="move the file away, or point SEATRIAL_HOME to another folder; nothing was changed",
    )

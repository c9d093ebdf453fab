"""From any older ledger to today's: forward only, all the steps in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, UsageError
from seatrial.ledger.tables import (
    EVENT,
    FIFTH,
    FIRST,
    FOURTH,
    GATEWAY,
    GUARDS,
    METADATA,
    RUN,
    SECOND,
    THIRD,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def _first(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=FIRST)
    for guard in GUARDS[connection.dialect.name]:
        connection.exec_driver_sql(guard)


def _second(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=SECOND)


def _third(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=THIRD)


def _fourth(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=FOURTH)


def _fifth(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=FIFTH)
    known = {column["name"] for column in sa.inspect(connection).get_columns(GATEWAY.name)}
    if "control" not in known:  # a new ledger has it with its table
        kind = GATEWAY.c.control.type.compile(connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE gateway ADD COLUMN control {kind}")
    for index in (*RUN.indexes, *EVENT.indexes):
        index.create(connection, checkfirst=True)  # a new ledger has them with its table


STEPS: tuple[Callable[[sa.Connection], None], ...] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
)
"""Step ``i`` takes a ledger of version ``i`` to version ``i + 1``; steps are only ever added."""


def known(version: int, where: str) -> int:
    """The version of the ledger at ``where``; refuses one from a newer seatrial."""
    if version > len(STEPS):
        raise UsageError(
            Mistake(
                f"the ledger has version {version}, newer than {len(STEPS)}, the last one known",
                where=where,
                fix="install a newer seatrial; nothing was changed",
            )
        )
    return version

"""Where are the blobs of this ledger? It says so itself, so that no machine keeps them elsewhere.

A machine whose settings name another store, or none, would register versions that no other can
read. Nothing but the ledger is known to all of them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, UsageError
from seatrial.ledger.moved import export
from seatrial.ledger.tables import EVENT
from seatrial.workspace import BLOBS

if TYPE_CHECKING:
    from seatrial.ledger.blob_stores.store import BlobStore
    from seatrial.ledger.store import Ledger, Transaction

KIND = "blobs_placed"
_LAST = sa.select(EVENT.c.body).where(EVENT.c.kind == KIND).order_by(EVENT.c.seq.desc()).limit(1)


def place(transaction: Transaction, store: BlobStore) -> None:
    """Note that the blobs are in this store, unless that is noted already."""
    if _noted(transaction.connection) != store.address:
        transaction.append(KIND, {"store": store.address})


def demand_place(ledger: Ledger, store: BlobStore | None) -> None:
    """Refuse another store than the one that is noted, and none: :class:`UsageError`.

    Another one holds where all was copied with the note of whose it is. Before anything is noted,
    any does.
    """
    with ledger.read() as connection:
        there = _noted(connection)
    if there is None or (store is not None and store.address == there):
        return
    if store is not None and store.claimed() == ledger.first():
        return
    raise UsageError(
        Mistake(
            f"the blobs of this project are in {there}",
            where=BLOBS if store is None else f"{BLOBS}={store.address}",
            fix=f"{export(BLOBS, there)}; to move them, first copy all that is below it",
        )
    )


def _noted(connection: sa.Connection) -> str | None:
    body = connection.execute(_LAST).scalar()
    return None if body is None else str(json.loads(body)["store"])

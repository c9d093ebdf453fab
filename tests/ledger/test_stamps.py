"""Whoever looks often asks first whether there is anything new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.errors import PassingError
from seatrial.ledger.store import Ledger
from seatrial.workspace import now
from shared_places import new_schema
from tampering import tamper

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import Server
    from seatrial.ledger.store import Transaction


def _append(transaction: Transaction) -> None:
    transaction.append("noted", {})


def test_every_commit_changes_the_stamp(place: Path | str) -> None:
    looks, writes = Ledger(place, now), Ledger(place, now)
    seen = {looks.stamp()}
    for ledger in (writes, looks, writes):
        ledger.write(_append)
        assert looks.stamp() not in seen
        seen.add(looks.stamp())
    assert looks.stamp() in seen
    assert len({stamp.ledger for stamp in seen}) == 1
    looks.close()
    writes.close()


def test_what_changes_nothing_leaves_the_stamp(place: Path | str) -> None:
    """Or whoever looks at a change, and finds nothing to do, would look again and again."""
    looks, writes = Ledger(place, now), Ledger(place, now)
    before = looks.stamp()
    writes.write(lambda _transaction: None)
    writes.head()
    assert list(writes.events()) == []

    def undone(transaction: Transaction) -> None:
        _append(transaction)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        writes.write(undone)
    assert looks.stamp() == before
    looks.close()
    writes.close()


def test_another_ledger_in_the_same_schema_is_seen(postgres: Server) -> None:
    place = new_schema(postgres)
    ledger, name = Ledger(place, now), place.rpartition("%3D")[2]
    before = ledger.stamp()
    tamper(place, f"DROP SCHEMA {name} CASCADE")
    with pytest.raises(PassingError, match="cannot read the ledger"):
        ledger.stamp()
    tamper(place.partition("?")[0], f"CREATE SCHEMA {name}")
    Ledger(place, now).close()
    assert ledger.stamp().ledger != before.ledger
    ledger.write(_append)
    assert len(list(ledger.events())) == 1
    ledger.close()


def test_a_ledger_that_was_restored_from_a_dump_is_seen(postgres: Server) -> None:
    place = new_schema(postgres)
    ledger = Ledger(place, now)
    before = ledger.stamp()
    tamper(
        place,
        "CREATE TABLE copied (LIKE seatrial INCLUDING ALL)",
        "INSERT INTO copied SELECT * FROM seatrial",
        "DROP TABLE seatrial",
        "ALTER TABLE copied RENAME TO seatrial",
    )
    assert ledger.stamp().ledger != before.ledger
    ledger.write(_append)
    ledger.close()

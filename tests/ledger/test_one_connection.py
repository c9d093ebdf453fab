"""Whoever reads much at a time may do so over one connection; nobody else notices."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from seatrial.ledger.store import GENESIS, Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from .conftest import Clock


@pytest.fixture
def ledger(place: Path | str, clock: Clock) -> Iterator[Ledger]:
    with closing(Ledger(place, clock)) as made:
        yield made


def _connection(ledger: Ledger) -> sa.Connection:
    with ledger.read() as connection:
        return connection


def test_a_thread_that_asks_for_it_reads_over_one(ledger: Ledger) -> None:
    assert _connection(ledger) is not _connection(ledger)
    others: list[sa.Connection] = []
    with ledger.one_connection():
        mine = _connection(ledger)
        with ledger.one_connection():
            assert _connection(ledger) is mine
        assert _connection(ledger) is mine
        assert ledger.head() == GENESIS
        other = threading.Thread(target=lambda: others.append(_connection(ledger)))
        other.start()
        other.join()
        open_within = not mine.closed
    assert (open_within, mine.closed) == (True, True)
    assert others[0] is not mine


def test_afterwards_it_sees_what_was_written_meanwhile(ledger: Ledger) -> None:
    with ledger.one_connection():
        assert ledger.first() is None
        ledger.write(lambda transaction: transaction.append("noted", {}))
    assert [event.kind for event in ledger.events()] == ["noted"]


def test_an_error_ends_it_too(ledger: Ledger) -> None:
    with pytest.raises(LookupError), ledger.one_connection():
        raise LookupError
    assert _connection(ledger) is not _connection(ledger)

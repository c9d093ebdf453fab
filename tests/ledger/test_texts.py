"""Texts are the same in every database: as they were written, in the order of their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger.tables import EVENT, REUSE
from seatrial.ledger.verify import verify

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger

ORDERED = ["", "B", "Zz", "_", "a", "a b", "a-b", "aB", "ab", "ß", "ä", "\ufffd", "🚢"]
"""As their bytes are; the language of a server may have another order."""

WITH_NUL = ["\0", "a\0b", "\U0010ffff", "a\U0010ffff0b", "\U0010ffff\0", "\0\U0010ffff1"]
"""PostgreSQL does not take NUL as it is; what stands for it there is also a text of its own."""


def test_texts_are_compared_and_sorted_by_their_bytes(ledger: Ledger) -> None:
    key, rows = REUSE.c.key, [{"key": text, "outcome": text} for text in reversed(ORDERED)]
    ledger.write(lambda transaction: transaction.connection.execute(REUSE.insert(), rows))
    with ledger.read() as connection:
        found = connection.execute(sa.select(key).order_by(key)).scalars().all()
        between = sa.select(key).where(key > "Zz", key < "a")
        assert connection.execute(between).scalars().all() == ["_"]
        assert connection.execute(sa.select(sa.func.max(key))).scalar() == ORDERED[-1]
    assert found == sorted(ORDERED, key=str.encode)


def test_what_is_written_comes_back_to_the_byte(ledger: Ledger) -> None:
    odd = [*ORDERED, *WITH_NUL]
    said = dict.fromkeys(odd, odd)
    stored = ledger.write(lambda transaction: transaction.append("said\0", said))
    rows = [{"key": text, "outcome": text} for text in odd]
    ledger.write(lambda transaction: transaction.connection.execute(REUSE.insert(), rows))
    (found,) = ledger.events("said\0")
    assert (found.body, found.kind, found.hash) == (said, "said\0", stored.hash)
    assert verify(ledger) == (1, stored.hash)
    with ledger.read() as connection:
        for text in odd:
            same = sa.select(REUSE.c.outcome).where(REUSE.c.key == text)
            assert connection.execute(same).scalars().all() == [text]
        holds = EVENT.c.body.contains('"a-b"', autoescape=True)
        assert connection.execute(sa.select(EVENT.c.seq).where(holds)).scalars().all() == [1]

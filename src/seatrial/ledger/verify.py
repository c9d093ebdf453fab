"""Is the chain whole, and do the tables still say what the events say?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, StoreError
from seatrial.ledger.store import GENESIS, link
from seatrial.ledger.tables import CHANNEL, EVENT, MOVE, VERSION

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger


def verify(ledger: Ledger, anchored: str | None = None) -> tuple[int, str]:
    """Number of events and the head's hash; :class:`StoreError` names the first broken place.

    ``anchored`` is a head noted earlier: were the tail cut since, it is no longer in the chain.
    """
    seq, head, seen = 0, GENESIS, anchored in {None, GENESIS}
    with ledger.read() as connection:
        for row in connection.execute(sa.select(EVENT).order_by(EVENT.c.seq)):
            seq += 1
            expected = link(seq, row.at, row.kind, row.body, head)
            if (row.seq, row.prev, row.hash) != (seq, head, expected):
                raise StoreError(_broken(ledger, f"event {row.seq} ({row.kind}, {row.at})"))
            head = row.hash
            seen = seen or head == anchored
    if not seen:
        raise StoreError(
            Mistake(
                f"the head {anchored} is not in the chain of {seq} events: its tail was cut",
                where=str(ledger.file),
                fix="restore the ledger from a backup that has this head",
            )
        )
    _compare_tables(ledger)
    return seq, head


def _compare_tables(ledger: Ledger) -> None:
    """Versions, moves and channels, folded from the events, against their tables."""
    versions: dict[tuple[object, ...], object] = {}
    moves: dict[object, tuple[object, ...]] = {}
    channels: dict[tuple[object, ...], object] = {}
    for event in ledger.events():
        body = event.body
        if event.kind == "version_registered":
            versions[body["model"], body["version"]] = body["digest"]
        elif event.kind == "channel_moved":
            moves[event.seq] = (event.at, *(body[k] for k in _MOVED))
            channels[body["model"], body["channel"]] = body["version"]
    with ledger.read() as connection:
        tables = {
            "version": {
                (r.model, r.version): r.digest for r in connection.execute(sa.select(VERSION))
            },
            "move": {
                r.seq: (r.at, *(getattr(r, k) for k in _MOVED))
                for r in connection.execute(sa.select(MOVE))
            },
            "channel": {
                (r.model, r.channel): r.version for r in connection.execute(sa.select(CHANNEL))
            },
        }
    for name, folded in (("version", versions), ("move", moves), ("channel", channels)):
        if tables[name] != folded:
            raise StoreError(_broken(ledger, f"table {name!r} differs from the events"))


_MOVED = ("event", "model", "channel", "version", "previous", "by", "reason")


def _broken(ledger: Ledger, what: str) -> Mistake:
    return Mistake(
        f"the ledger was edited: {what}",
        where=str(ledger.file),
        fix="restore the ledger from a backup; do not trust what it says since then",
    )

"""Which shadow tests are under way, and what each gateway has counted for them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger.store import canonical
from seatrial.ledger.tables import RUN, SHADOW, TALLY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.store import Ledger, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A shadow test: ``version`` answers ``share_percent`` of what ``against`` is asked.

    ``spec`` is what the verdict will need and what the gateways may use, such as ``variance``.
    Times are ISO, UTC; ``closed`` is None while it is under way.
    """

    id: str
    run: str
    model: str
    version: int
    against: int
    share_percent: float
    opened: str
    until: str
    closed: str | None
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A shadow test that is to be opened, for ``lasts_s`` seconds from then on."""

    id: str
    run: str
    model: str
    version: int
    against: int
    share_percent: float
    lasts_s: float
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway reported last, and when."""

    gateway: str
    at: str
    document: Mapping[str, Any]


def open_shadow(ledger: Ledger, wish: Wish) -> Shadow:
    """Open a shadow test; asked again for the same id, it gives what stands."""

    def change(transaction: Transaction) -> Shadow:
        known = _get(transaction.connection, wish.id)
        if known is not None:
            return known
        until = datetime.fromisoformat(transaction.at) + timedelta(seconds=wish.lasts_s)
        asked = {key: value for key, value in asdict(wish).items() if key not in {"id", "lasts_s"}}
        shadow = Shadow(
            id=wish.id, **asked, opened=transaction.at, until=until.isoformat(), closed=None
        )
        transaction.append("shadow_opened", {"shadow": wish.id, **asked, "until": shadow.until})
        transaction.connection.execute(
            SHADOW.insert().values(**{**asdict(shadow), "spec": canonical(wish.spec)})
        )
        return shadow

    return ledger.write(change)


def close(ledger: Ledger, shadow: str) -> Shadow:
    """End a shadow test; ended before, it stays as it was."""

    def change(transaction: Transaction) -> Shadow:
        ended = transaction.connection.execute(
            SHADOW.update()
            .where(SHADOW.c.id == shadow, SHADOW.c.closed.is_(None))
            .values(closed=transaction.at)
        )
        if ended.rowcount:
            transaction.append("shadow_closed", {"shadow": shadow})
        return _shadow(
            transaction.connection.execute(sa.select(SHADOW).where(SHADOW.c.id == shadow)).one()
        )

    return ledger.write(change)


def get(ledger: Ledger, shadow: str) -> Shadow | None:
    """A shadow test by its id."""
    with ledger.read() as connection:
        return _get(connection, shadow)


def wanted(ledger: Ledger) -> list[Shadow]:
    """Those under way, oldest first: not closed, and of a run that has not ended in any way."""
    query = (
        sa.select(SHADOW)
        .join(RUN, RUN.c.id == SHADOW.c.run)
        .where(SHADOW.c.closed.is_(None), RUN.c.ended.is_(None))
        .order_by(SHADOW.c.opened, SHADOW.c.id)
    )
    with ledger.read() as connection:
        return [_shadow(row) for row in connection.execute(query)]


def report(ledger: Ledger, shadow: str, gateway: str, document: Mapping[str, Any]) -> None:
    """Keep what a gateway has counted so far, in place of what it reported before. No event."""
    place = TALLY.c.shadow == shadow, TALLY.c.gateway == gateway

    def change(transaction: Transaction) -> None:
        transaction.connection.execute(TALLY.delete().where(*place))
        transaction.connection.execute(
            TALLY.insert().values(
                shadow=shadow, gateway=gateway, at=transaction.at, body=canonical(document)
            )
        )

    ledger.write(change)


def tallies(ledger: Ledger, shadow: str) -> list[Told]:
    """The latest report of each gateway that took part, the dead ones too."""
    query = sa.select(TALLY).where(TALLY.c.shadow == shadow).order_by(TALLY.c.gateway)
    with ledger.read() as connection:
        return [
            Told(row.gateway, row.at, json.loads(row.body)) for row in connection.execute(query)
        ]


def _get(connection: sa.Connection, shadow: str) -> Shadow | None:
    row = connection.execute(sa.select(SHADOW).where(SHADOW.c.id == shadow)).first()
    return _shadow(row) if row else None


def _shadow(row: sa.Row[tuple[object, ...]]) -> Shadow:
    known = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Shadow(**{**known, "spec": json.loads(known["spec"])})

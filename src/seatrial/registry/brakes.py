"""What must not be promoted: versions in quarantine, and models that a storm has frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger.tables import FREEZE, QUARANTINE

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A model file that was rolled back by itself: whatever version holds it is not promoted."""

    model: str
    digest: str
    version: int
    since: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A model that nothing moves by itself until a person has looked."""

    model: str
    since: str
    reason: str


def quarantine(
    transaction: Transaction, model: str, version: int, digest: str, reason: str
) -> None:
    """Keep a model file (its digest) from being promoted again; said again, nothing changes."""
    connection = transaction.connection
    place = QUARANTINE.c.model == model, QUARANTINE.c.digest == digest
    if connection.execute(sa.select(QUARANTINE).where(*place)).first():
        return
    body = {"model": model, "version": version, "digest": digest, "reason": reason}
    transaction.append("version_quarantined", body)
    connection.execute(QUARANTINE.insert().values(**body, since=transaction.at))


def lift(transaction: Transaction, model: str, digest: str, by: str, reason: str) -> bool:
    """End a quarantine; whether there was one."""
    place = QUARANTINE.c.model == model, QUARANTINE.c.digest == digest
    ended = transaction.connection.execute(QUARANTINE.delete().where(*place)).rowcount
    if ended:
        body = {"model": model, "digest": digest, "by": by, "reason": reason}
        transaction.append("quarantine_lifted", body)
    return bool(ended)


def freeze(transaction: Transaction, model: str, reason: str) -> bool:
    """Have nothing move a model by itself; whether it was free before."""
    connection = transaction.connection
    if connection.execute(sa.select(FREEZE).where(FREEZE.c.model == model)).first():
        return False
    transaction.append("model_frozen", {"model": model, "reason": reason})
    connection.execute(FREEZE.insert().values(model=model, since=transaction.at, reason=reason))
    return True


def thaw(transaction: Transaction, model: str, by: str, reason: str) -> bool:
    """End a freeze; whether there was one."""
    ended = transaction.connection.execute(FREEZE.delete().where(FREEZE.c.model == model)).rowcount
    if ended:
        transaction.append("model_thawed", {"model": model, "by": by, "reason": reason})
    return bool(ended)


def quarantined(ledger: Ledger, model: str, digest: str) -> Quarantined | None:
    """Why a model file must not be promoted; ``None`` when it may."""
    place = QUARANTINE.c.model == model, QUARANTINE.c.digest == digest
    with ledger.read() as connection:
        row = connection.execute(sa.select(QUARANTINE).where(*place)).first()
    return Quarantined(**row._mapping) if row else None  # noqa: SLF001


def all_quarantined(ledger: Ledger) -> list[Quarantined]:
    """Every model file in quarantine, oldest first."""
    query = sa.select(QUARANTINE).order_by(QUARANTINE.c.since)
    with ledger.read() as connection:
        return [Quarantined(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001


def frozen(ledger: Ledger, model: str) -> Frozen | None:
    """Why nothing moves a model by itself; ``None`` when it may."""
    with ledger.read() as connection:
        row = connection.execute(sa.select(FREEZE).where(FREEZE.c.model == model)).first()
    return Frozen(**row._mapping) if row else None  # noqa: SLF001


def all_frozen(ledger: Ledger) -> list[Frozen]:
    """Every model that is frozen."""
    query = sa.select(FREEZE).order_by(FREEZE.c.model)
    with ledger.read() as connection:
        return [Frozen(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001

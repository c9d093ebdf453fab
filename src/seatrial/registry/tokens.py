"""Who may look and who may change things at the control port: tokens, made and revoked.

A token is ``seatrial_ID_SECRET``. The secret is 256 random bits, so its plain SHA-256 is kept: a
slow hash defends passwords that can be guessed, and nobody guesses these. Making and revoking are
events with the name of who did it; the hash stands in the event too, so that
``seatrial history --verify`` tells when somebody put another secret under a name. When a token was
last used stands in the table only, to the hour.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.errors import Mistake, UsageError, nearest
from seatrial.ledger.tables import TOKEN

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger, Transaction

PREFIX = "seatrial"
ID_BYTES = 5
SECRET_BYTES = 32

FORM = re.compile(rf"{PREFIX}_([a-z2-7]{{8}})_[a-z2-7]{{52}}")
"""What a token looks like; anything else is refused before the ledger is asked."""

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,62}[A-Za-z0-9])?")
"""A name stands in the history beside what was done: plain letters, so that no two look alike, and
no space, so that none is taken for a run or a watch."""

LONGEST_DAYS = 3660


class Role(StrEnum):
    """What a token lets its owner do; an operator may also look."""

    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; neither it nor its hash. Times are ISO, UTC."""

    id: str
    name: str
    role: Role
    created: str
    by: str
    expires: str | None
    revoked: str | None
    last_used: str | None

    def state(self, now: datetime) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        expired = self.expires is not None and datetime.fromisoformat(self.expires) <= now
        return "expired" if expired else "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: ``name`` is what the ledger keeps of that; ``token`` is an id."""

    name: str
    role: Role
    token: str


def create(
    ledger: Ledger, name: str, role: Role, by: str, days: int | None = None
) -> tuple[Token, str]:
    """A new token, and its text, which is nowhere kept. UsageError when the name is taken."""
    _demand_name(name)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        what = f"a token cannot be valid for {days} days"
        raise UsageError(Mistake(what, fix=f"name 1 to {LONGEST_DAYS} days, or none at all"))
    identity, secret = _random(ID_BYTES), _random(SECRET_BYTES)
    text = f"{PREFIX}_{identity}_{secret}"

    def change(transaction: Transaction) -> Token:
        now = datetime.fromisoformat(transaction.at)
        _demand_free(transaction.connection, name, now)
        expires = None if days is None else (now + timedelta(days=days)).isoformat()
        said = {"name": name, "role": role.value, "by": by, "expires": expires, "hash": _hash(text)}
        transaction.append("token_created", {"token": identity, **said})
        row = {**said, "id": identity, "created": transaction.at}
        transaction.connection.execute(TOKEN.insert().values(**row))
        return _found(transaction.connection, identity)

    return ledger.write(change), text


def revoke(ledger: Ledger, identity: str, by: str) -> Token:
    """End a token, by its id or the beginning of that; at once, for sessions that it began too.

    One that was revoked stays as it is. UsageError when there is none, or several.
    """

    def change(transaction: Transaction) -> Token:
        token = _named(transaction.connection, identity)
        if token.revoked is None:
            transaction.append("token_revoked", {"token": token.id, "name": token.name, "by": by})
            transaction.connection.execute(
                TOKEN.update().where(TOKEN.c.id == token.id).values(revoked=transaction.at)
            )
        return _found(transaction.connection, token.id)

    return ledger.write(change)


def known(ledger: Ledger) -> list[Token]:
    """Every token that was ever made, oldest first."""
    with ledger.read() as connection:
        query = sa.select(*_SAID).order_by(TOKEN.c.created, TOKEN.c.id)
        return [_token(row) for row in connection.execute(query)]


def check(ledger: Ledger, text: str) -> Actor | None:
    """Whose token this is; None of one that is unknown, expired or revoked."""
    form = FORM.fullmatch(text)
    if form is None:
        return None
    with ledger.read() as connection:
        row = connection.execute(sa.select(TOKEN).where(TOKEN.c.id == form[1])).first()
    if row is None or not hmac.compare_digest(row.hash, _hash(text)):
        return None
    return _actor(_token(row), ledger.clock())


def id_of(text: str) -> str:
    """The id that a token carries, whether there is one or not; empty where it is no token.

    >>> id_of("seatrial_2t2yeura_" + "a" * 52), id_of("seatrial_2t2yeura")
    ('2t2yeura', '')
    """
    form = FORM.fullmatch(text)
    return form[1] if form else ""


def actor_of(ledger: Ledger, identity: str) -> Actor | None:
    """Whose token has this id, while it is valid: for a session that was begun with it."""
    with ledger.read() as connection:
        row = connection.execute(sa.select(*_SAID).where(TOKEN.c.id == identity)).first()
    return None if row is None else _actor(_token(row), ledger.clock())


def note_use(ledger: Ledger, identity: str) -> None:
    """Keep that a token is in use, once an hour."""
    hour = ledger.clock().replace(minute=0, second=0, microsecond=0).isoformat()
    older = sa.or_(TOKEN.c.last_used.is_(None), TOKEN.c.last_used < hour)
    this = sa.and_(TOKEN.c.id == identity, older)
    with ledger.read() as connection:
        if connection.execute(sa.select(TOKEN.c.id).where(this)).first() is None:
            return
    ledger.write(lambda t: t.connection.execute(TOKEN.update().where(this).values(last_used=hour)))


def _random(length: int) -> str:
    return base64.b32encode(secrets.token_bytes(length)).decode().rstrip("=").lower()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _actor(token: Token, now: datetime) -> Actor | None:
    if token.state(now) != "valid":
        return None
    return Actor(name=token.name, role=token.role, token=token.id)


_SAID = tuple(column for column in TOKEN.c if column is not TOKEN.c.hash)


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    said = {column.name: getattr(row, column.name) for column in _SAID}
    return Token(**{**said, "role": Role(said["role"])})


def _found(connection: sa.Connection, identity: str) -> Token:
    return _token(connection.execute(sa.select(*_SAID).where(TOKEN.c.id == identity)).one())


def _named(connection: sa.Connection, identity: str) -> Token:
    tokens = [_token(row) for row in connection.execute(sa.select(*_SAID))]
    found = [token for token in tokens if token.id == identity]
    found = found or [token for token in tokens if identity and token.id.startswith(identity)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(sorted(token.id for token in found))
        what = f"{identity!r} is the beginning of several tokens: {ids}"
        raise UsageError(Mistake(what, fix="write the id whole"))
    raise UsageError(
        Mistake(
            f"there is no token {identity!r}",
            nearest=nearest(identity, [token.id for token in tokens]),
            fix="`seatrial token list` shows the ids, which stand in the middle of a token",
        )
    )


def _demand_name(name: str) -> None:
    if NAME.fullmatch(name) is None:
        raise UsageError(
            Mistake(
                f"{name!r} cannot be the name of a token",
                fix="use 1 to 64 letters and digits of ASCII, between them also . _ @ + -",
            )
        )


def _demand_free(connection: sa.Connection, name: str, now: datetime) -> None:
    for row in connection.execute(sa.select(*_SAID).where(TOKEN.c.name == name)):
        token = _token(row)
        if token.state(now) == "valid":
            raise UsageError(
                Mistake(
                    f"there is a token of {name!r} already: {token.id}",
                    fix=f"choose another name, or `seatrial token revoke {token.id}` first",
                )
            )

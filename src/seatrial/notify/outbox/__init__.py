"""What is to be told, queued in the very transaction that decided it. Nothing is sent here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from seatrial.ledger.store import GENESIS, canonical
from seatrial.ledger.tables import EVENT, MESSAGE
from seatrial.notify._kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.store import Transaction

__all__ = ["KINDS", "Message", "post"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is told. A message with a ``key`` that was queued before is not queued again.

    ``kind`` is one of ``KINDS``; ``text`` is one sentence for people, ``data`` is for
    machines and becomes JSON: what JSON cannot say becomes null (numbers that are not finite)
    or a string, because no decision may fail for want of words.

    >>> Message(kind="promotet", key="m/2", model="m", text="m 2 serves.", data={})
    Traceback (most recent call last):
    ValueError: no kind of message: 'promotet'
    """

    kind: str
    key: str
    model: str | None
    text: str
    data: Mapping[str, object]

    def __post_init__(self) -> None:
        """Refuse a kind that nobody could ask for."""
        if self.kind not in KINDS:
            raise ValueError(f"no kind of message: {self.kind!r}")


def post(transaction: Transaction, message: Message) -> None:
    """Queue a message with the decision it tells of: both happen, or neither.

    Adds nothing to the chain, since a message only repeats what the events say.
    """
    connection = transaction.connection
    known = sa.select(MESSAGE.c.id).where(MESSAGE.c.key == message.key)
    if connection.execute(known).first() is not None:
        return
    connection.execute(
        MESSAGE.insert().values(
            id=_identity(transaction, message.key),
            key=message.key,
            kind=message.kind,
            model=message.model,
            at=transaction.at,
            body=canonical({"text": message.text, "data": _sayable(message.data)}),
        )
    )


def _identity(transaction: Transaction, key: str) -> str:
    """An id that no other ledger gives: the chain so far is this ledger's own."""
    last = sa.select(EVENT.c.hash).order_by(EVENT.c.seq.desc()).limit(1)
    head = transaction.connection.execute(last).scalar() or GENESIS
    return hashlib.sha256(canonical([head, transaction.at, key]).encode()).hexdigest()[:32]


def _sayable(data: Mapping[str, object]) -> object:
    """The same as JSON can say it, with no number that is not finite."""
    return json.loads(json.dumps(dict(data), default=str), parse_constant=_absent)


def _absent(_constant: str) -> None:
    return None

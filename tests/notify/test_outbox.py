"""What is decided is told, once; what was undone is not."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import MESSAGE
from seatrial.ledger.verify import verify
from seatrial.notify.outbox import KINDS, Message, post

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.ledger.store import Transaction

    from .conftest import Office


def _message(key: str = "delays/2", **data: object) -> Message:
    return Message(kind="promoted", key=key, model="delays", text="delays 2 serves.", data=data)


def _begin(ledger: Ledger, number: int) -> None:
    ledger.write(lambda transaction: transaction.append("begun", {"number": number}))


def _rows(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(MESSAGE.select()))


def test_a_message_is_queued_with_the_decision_and_adds_nothing_to_the_chain(
    office: Office,
) -> None:
    def decide(transaction: Transaction) -> None:
        transaction.append("decided", {})
        post(transaction, _message(version=2))

    office.ledger.write(decide)
    (row,) = _rows(office.ledger)
    assert (row.kind, row.model, row.at) == ("promoted", "delays", "2026-01-01T00:00:00+00:00")
    assert json.loads(row.body) == {"text": "delays 2 serves.", "data": {"version": 2}}
    assert [event.kind for event in office.ledger.events()] == ["decided"]
    verify(office.ledger)


def test_what_is_undone_is_not_told(office: Office) -> None:
    def decide(transaction: Transaction) -> None:
        post(transaction, _message())
        raise RuntimeError

    with pytest.raises(RuntimeError):
        office.ledger.write(decide)
    assert not _rows(office.ledger)


def test_the_same_key_is_queued_once_for_ever(office: Office) -> None:
    for _ in range(3):
        office.ledger.write(lambda transaction: post(transaction, _message()))
        office.clock.move(86400 * 365)
    office.ledger.write(lambda transaction: post(transaction, _message("delays/3")))
    first, second = _rows(office.ledger)
    assert {first.key, second.key} == {"delays/2", "delays/3"}
    assert first.id != second.id


def test_another_ledger_gives_another_id(office: Office, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "other.db", office.clock)
    for number, ledger in enumerate((office.ledger, other)):
        _begin(ledger, number)
        ledger.write(lambda transaction: post(transaction, _message()))
    assert _rows(office.ledger)[0].id != _rows(other)[0].id
    other.close()


def test_no_decision_fails_for_want_of_words(office: Office) -> None:
    message = _message(drift=math.inf, loss=math.nan, at=office.clock(), deep=[{"x": -math.inf}])
    office.ledger.write(lambda transaction: post(transaction, message))
    assert json.loads(_rows(office.ledger)[0].body)["data"] == {
        "drift": None,
        "loss": None,
        "at": "2026-01-01 00:00:00+00:00",
        "deep": [{"x": None}],
    }


def test_every_kind_says_what_it_means() -> None:
    assert all(meaning and kind.isidentifier() for kind, meaning in KINDS.items())

"""Tokens: made, shown once, checked, revoked; and all that stands in the chain."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from seatrial.errors import StoreError, UsageError
from seatrial.ledger.store import Ledger
from seatrial.ledger.tables import TOKEN
from seatrial.ledger.verify import verify
from seatrial.registry import tokens
from seatrial.registry.tokens import Actor, Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    found = Ledger(tmp_path / "ledger.db", clock)
    yield found
    found.close()


def test_is_known_by_its_text_alone(kept: Ledger) -> None:
    made, text = tokens.create(kept, "anna", Role.OPERATOR, "root")
    assert tokens.FORM.fullmatch(text)
    assert tokens.check(kept, text) == Actor(name="anna", role=Role.OPERATOR, token=made.id)
    _, other = tokens.create(kept, "bert", Role.VIEWER, "root")
    swapped = f"{text.rpartition('_')[0]}_{other.rpartition('_')[2]}"
    for wrong in (swapped, text[:-1], f"{text}\n", text.upper(), f" {text}", "", "ü", made.id):
        assert tokens.check(kept, wrong) is None, wrong


def test_itself_is_nowhere_kept(kept: Ledger) -> None:
    _, text = tokens.create(kept, "anna", Role.OPERATOR, "root")
    secret = text.rpartition("_")[2].encode()
    assert not [file for file in kept.file.parent.iterdir() if secret in file.read_bytes()]


def test_ends_when_it_is_revoked(kept: Ledger) -> None:
    made, text = tokens.create(kept, "anna", Role.OPERATOR, "root")
    ended = tokens.revoke(kept, made.id[:5], "bert")
    assert ended.revoked == START.isoformat()
    assert tokens.check(kept, text) is None
    assert tokens.actor_of(kept, made.id) is None
    assert tokens.revoke(kept, made.id, "bert") == ended
    kinds = [event.kind for event in kept.events()]
    assert kinds == ["token_created", "token_revoked"]


def test_ends_when_its_days_are_over(kept: Ledger, clock: Clock) -> None:
    made, text = tokens.create(kept, "anna", Role.VIEWER, "root", days=2)
    clock.now = START + timedelta(days=2, seconds=-1)
    assert tokens.check(kept, text)
    clock.now = START + timedelta(days=2)
    assert tokens.check(kept, text) is None
    assert tokens.actor_of(kept, made.id) is None
    assert [token.state(clock.now) for token in tokens.known(kept)] == ["expired"]


def test_name_is_one_persons_while_the_token_is_valid(kept: Ledger) -> None:
    made, _ = tokens.create(kept, "anna", Role.VIEWER, "root")
    with pytest.raises(UsageError, match=f"{made.id}"):
        tokens.create(kept, "anna", Role.OPERATOR, "root")
    tokens.revoke(kept, made.id, "root")
    tokens.create(kept, "anna", Role.OPERATOR, "root")


@pytest.mark.parametrize(
    "name", ["", "run 1", "watch 1", "a\nb", "\u0430nna", "x" * 65, "-a", "<b>"]
)
def test_name_looks_like_no_other(kept: Ledger, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        tokens.create(kept, name, Role.VIEWER, "root")


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_days_are_some(kept: Ledger, days: int) -> None:
    with pytest.raises(UsageError, match="days"):
        tokens.create(kept, "anna", Role.VIEWER, "root", days)


def test_one_that_is_not_there_is_told(kept: Ledger) -> None:
    made, _ = tokens.create(kept, "anna", Role.VIEWER, "root")
    with pytest.raises(UsageError, match="there is no token") as caught:
        tokens.revoke(kept, f"{made.id[:-1]}1", "root")
    assert caught.value.mistakes[0].nearest == made.id
    with pytest.raises(UsageError, match="there is no token"):
        tokens.revoke(kept, "", "root")


def test_use_is_noted_by_the_hour(kept: Ledger, clock: Clock) -> None:
    made, _ = tokens.create(kept, "anna", Role.VIEWER, "root")
    tokens.note_use(kept, made.id)
    clock.now = START + timedelta(minutes=20)
    tokens.note_use(kept, made.id)
    assert tokens.known(kept)[0].last_used == "2026-11-24T12:00:00+00:00"
    clock.now = START + timedelta(minutes=40)
    tokens.note_use(kept, made.id)
    assert tokens.known(kept)[0].last_used == "2026-11-24T13:00:00+00:00"
    assert verify(kept)[0] == 1


@pytest.mark.parametrize(
    "edit", [{"role": "operator"}, {"hash": "0" * 64}, {"revoked": None}, {"expires": None}]
)
def test_edited_table_is_found(kept: Ledger, edit: dict[str, str | None]) -> None:
    made, _ = tokens.create(kept, "anna", Role.VIEWER, "root", days=1)
    tokens.revoke(kept, made.id, "root")
    assert verify(kept)[0] == 2
    kept.write(lambda t: t.connection.execute(TOKEN.update().values(**edit)))
    with pytest.raises(StoreError, match="'token' differs"):
        verify(kept)


def test_slipped_in_is_found(kept: Ledger) -> None:
    tokens.create(kept, "anna", Role.VIEWER, "root")
    with kept.read() as connection:
        row = dict(connection.execute(sa.select(TOKEN)).mappings().one())
    kept.write(lambda t: t.connection.execute(TOKEN.insert().values({**row, "id": "aaaaaaaa"})))
    with pytest.raises(StoreError, match="'token' differs"):
        verify(kept)


def test_event_says_who_made_it_for_whom(kept: Ledger) -> None:
    tokens.create(kept, "anna", Role.OPERATOR, "root", days=1)
    event = next(kept.events("token_created"))
    said = json.loads(json.dumps(event.body))
    assert (said["name"], said["role"], said["by"]) == ("anna", "operator", "root")

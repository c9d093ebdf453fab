"""Events are only ever added, and whoever edits them is found out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import StoreError
from seatrial.ledger.blobs import Blobs
from seatrial.ledger.store import GENESIS, Ledger, canonical, link
from seatrial.ledger.tables import EVENT
from seatrial.ledger.verify import verify
from seatrial.registry.registry import Move, Registry
from shared_places import new_schema
from tampering import REFUSED, tamper, unguarded

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import Server
    from seatrial.ledger.store import Transaction

    from .conftest import Clock

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _append(ledger: Ledger, *numbers: int) -> None:
    def change(transaction: Transaction) -> None:
        for number in numbers:
            transaction.append("noted", {"n": number})

    ledger.write(change)


def _registered(ledger: Ledger, folder: Path) -> Registry:
    registry = Registry(ledger, Blobs(folder / "blobs"))
    registry.register("m", {"name": "a", "files": {}}, label="l", run="R", by="t")
    return registry


def _promoted(registry: Registry) -> None:
    move = Move(
        model="m", channel="production", version=1, expect=0, event="promote", by="t", reason="r"
    )
    registry.move(move, {"degradation_margin": 0.05})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET body = '{}' WHERE seq = 2",
        "UPDATE event SET at = at",
        "DELETE FROM event WHERE seq = 3",
        "DELETE FROM event",
        "INSERT INTO event VALUES (0, 'a', 'k', '{}', 'p', 'h')",
        "INSERT INTO event VALUES (-5, 'a', 'k', '{}', 'p', 'h')",
        "INSERT INTO event VALUES (3,'a','k','{}','p','h') ON CONFLICT (seq) DO NOTHING",
        (
            "INSERT INTO event VALUES (3,'a','k','{}','p','h')"
            " ON CONFLICT (seq) DO UPDATE SET body='x'"
        ),
    ],
)
def test_the_database_refuses_to_change_events(ledger: Ledger, statement: str) -> None:
    _refused(ledger, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO event VALUES (2, 'a', 'k', '{}', 'p', 'h')",
        "REPLACE INTO event VALUES (3, 'a', 'k', '{}', 'p', 'h')",
    ],
)
def test_sqlite_refuses_to_replace_events(tmp_path: Path, clock: Clock, statement: str) -> None:
    _refused(Ledger(tmp_path / "ledger.db", clock), statement)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE event CASCADE",
        "WITH gone AS (DELETE FROM event RETURNING 1) SELECT count(*) FROM gone",
        # where the table is not found by its plain name
        "SET search_path TO pg_catalog; TRUNCATE SCHEMA.event CASCADE",
        "SET search_path TO pg_catalog; UPDATE SCHEMA.event SET body = '{}'",
        "SET search_path TO pg_catalog; INSERT INTO SCHEMA.event VALUES (2,'a','k','{}','p','h')",
    ],
)
def test_postgresql_refuses_its_own_ways_too(
    postgres: Server, clock: Clock, statement: str
) -> None:
    place = new_schema(postgres)
    schema = place.rpartition("%3D")[2]
    _refused(Ledger(place, clock), statement.replace("SCHEMA", schema))


def _refused(ledger: Ledger, statement: str) -> None:
    _append(ledger, 1, 2, 3)
    before = list(ledger.events())
    with pytest.raises(REFUSED, match="append-only"):
        tamper(ledger.place, statement)
    assert list(ledger.events()) == before
    ledger.close()


def test_events_come_back_in_order_linked_and_timed(ledger: Ledger, clock: Clock) -> None:
    _append(ledger, 1)
    clock.move(60)
    _append(ledger, 2)
    first, second = ledger.events()
    assert (first.seq, first.body, first.prev) == (1, {"n": 1}, GENESIS)
    assert (second.seq, second.prev, ledger.head()) == (2, first.hash, second.hash)
    assert (first.at, second.at) == ("2026-01-01T00:00:00+00:00", "2026-01-01T00:01:00+00:00")
    assert [event.seq for event in ledger.events("noted")] == [1, 2]
    assert not list(ledger.events("other"))


def test_an_error_in_a_write_undoes_all_of_it(ledger: Ledger) -> None:
    _append(ledger, 1)
    head = ledger.head()

    def half(transaction: Transaction) -> None:
        transaction.append("noted", {"n": 2})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ledger.write(half)
    assert ledger.head() == head
    assert verify(ledger) == (1, head)


def test_an_untouched_chain_verifies_against_every_head_that_was_noted(ledger: Ledger) -> None:
    assert verify(ledger) == (0, GENESIS)
    heads = [ledger.head()]
    for number in range(5):
        _append(ledger, number)
        heads.append(ledger.head())
    for head in heads:
        assert verify(ledger, head) == (5, heads[-1])


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE event SET body = '{\"n\":9}' WHERE seq = 2", "event 2"),
        ("UPDATE event SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 1", "event 1"),
        ("UPDATE event SET kind = 'other' WHERE seq = 3", "event 3"),
        ("UPDATE event SET seq = 7 WHERE seq = 3", "event 7"),
        ("DELETE FROM event WHERE seq = 2", "event 3"),
        ("DELETE FROM event WHERE seq = 1", "event 2"),
    ],
)
def test_verify_names_the_first_edited_event(ledger: Ledger, statement: str, named: str) -> None:
    _append(ledger, 1, 2, 3)
    unguarded(ledger.place, statement)
    with pytest.raises(StoreError, match=f"was edited: {named}"):
        verify(ledger)


def test_an_edit_with_a_recomputed_hash_breaks_the_next_link(ledger: Ledger) -> None:
    _append(ledger, 1, 2, 3)
    second = list(ledger.events())[1]
    forged = link(2, second.at, "noted", '{"n":9}', second.prev)
    unguarded(
        ledger.place,
        f"UPDATE event SET body = '{{\"n\":9}}', hash = '{forged}' WHERE seq = 2",  # noqa: S608
    )
    with pytest.raises(StoreError, match="event 3"):
        verify(ledger)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("channel_moved", "{}"),
        ("quarantine_lifted", '{"model":"m","digest":"d"}'),
        ("policy_installed", "[]"),
        ("noted", "not json"),
    ],
)
def test_verify_names_an_added_event_that_nobody_can_have_meant(
    ledger: Ledger, kind: str, body: str
) -> None:
    _append(ledger, 1, 2)

    def forge(transaction: Transaction) -> None:
        at, prev = transaction.at, before
        row = {"seq": 3, "at": at, "kind": kind, "body": body, "prev": prev}
        forged = link(3, at, kind, body, prev)
        transaction.connection.execute(EVENT.insert().values(**row, hash=forged))

    before = ledger.head()
    ledger.write(forge)
    with pytest.raises(StoreError, match="was edited: event 3 "):
        verify(ledger)


def test_a_cut_tail_is_found_with_the_head_that_was_anchored(ledger: Ledger) -> None:
    _append(ledger, 1, 2, 3)
    anchored = ledger.head()
    unguarded(ledger.place, "DELETE FROM event WHERE seq = 3")
    verify(ledger)  # without an anchor nobody can know
    with pytest.raises(StoreError, match="its tail was cut"):
        verify(ledger, anchored)
    _append(ledger, 4)  # written on: the cut stays provable
    with pytest.raises(StoreError, match="its tail was cut"):
        verify(ledger, anchored)


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE version SET digest = 'sha256:00' WHERE version = 1", "version"),
        ("UPDATE version SET label = 'better' WHERE version = 1", "version"),
        ("DELETE FROM version WHERE version = 2", "version"),
        ("UPDATE move SET reason = 'because' WHERE channel = 'production'", "move"),
        ("UPDATE move SET at = '2020-01-01' WHERE channel = 'production'", "move"),
        ("UPDATE channel SET version = 2 WHERE channel = 'production'", "channel"),
        ("UPDATE channel SET revision = 9 WHERE channel = 'production'", "channel"),
        ("UPDATE channel SET reason = 'because' WHERE channel = 'production'", "channel"),
        ("DELETE FROM channel WHERE channel = 'production'", "channel"),
        ("UPDATE policy SET body = '{\"margin\":9}'", "policy"),
        ("DELETE FROM policy", "policy"),
    ],
)
def test_verify_finds_an_edited_table(
    ledger: Ledger, tmp_path: Path, statement: str, table: str
) -> None:
    registry = _registered(ledger, tmp_path)
    registry.register("m", {"name": "b", "files": {}}, label="l", run="R", by="t")
    _promoted(registry)
    assert verify(ledger)[0] == len(list(ledger.events()))
    tamper(ledger.place, statement)
    with pytest.raises(StoreError, match=f"table '{table}' differs"):
        verify(ledger)


def test_what_others_write_meanwhile_is_no_edit(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = _registered(ledger, tmp_path)
    _promoted(registry)

    def meanwhile(value: object) -> str:
        registry.register("m", {"name": "b", "files": {}}, label="l", run="R", by="t")
        return canonical(value)

    monkeypatch.setattr("seatrial.ledger.verify.canonical", meanwhile)
    before = len(list(ledger.events()))
    assert verify(ledger)[0] == before
    assert len(list(ledger.events())) > before


@given(JSON)
def test_canonical_has_one_spelling_that_reads_back(value: object) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(), max_size=6))
def test_canonical_does_not_depend_on_the_order_of_keys(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(
    st.tuples(st.integers(1, 99), *[st.text(max_size=5)] * 4),
    st.tuples(st.integers(1, 99), *[st.text(max_size=5)] * 4),
)
def test_different_events_never_share_a_link(
    first: tuple[int, str, str, str, str], second: tuple[int, str, str, str, str]
) -> None:
    assert (link(*first) == link(*second)) == (first == second)


def test_text_cannot_wander_between_the_parts_of_an_event() -> None:
    assert link(1, "ab", "c", "{}", "p") != link(1, "a", "bc", "{}", "p")

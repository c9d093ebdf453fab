"""Opening in PostgreSQL: a schema that is ours, of any age; never a stranger's, never by halves."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from renewing import KNOWN, breaks, noted, open_at_once, renew, second
from running import until
from seatrial.errors import PassingError, SeatrialError, StoreError, UsageError
from seatrial.ledger.store import Ledger, has_ledger, open_ledger
from seatrial.ledger.verify import verify
from seatrial.workspace import Workspace, now
from shared_places import PASSWORD, connected, new_schema
from tampering import asked, tamper

if TYPE_CHECKING:
    from postgres import Server


@pytest.fixture
def schema(postgres: Server) -> str:
    """The address of a schema in which there is nothing."""
    return new_schema(postgres)


def _opened(address: str) -> Ledger:
    return Ledger(address, now)


def _tables(address: str) -> set[str]:
    """Everything in the schema."""
    query = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    return {name for (name,) in asked(address, query)}


def _refused(address: str, kind: type[SeatrialError], *said: str) -> SeatrialError:
    """What opening raises: few lines, without the password."""
    with pytest.raises(kind) as raised:
        _opened(address)
    text = str(raised.value)
    assert all(words in text for words in said), text
    assert len(text.splitlines()) <= 6
    assert PASSWORD not in text
    assert PASSWORD not in repr(raised.value.__cause__)
    return raised.value


# Whose schema


def test_both_spellings_of_the_scheme_are_one_ledger(schema: str) -> None:
    for address in (schema, schema.replace("postgresql://", "postgresql+psycopg://")):
        ledger = _opened(address)
        ledger.write(lambda transaction: transaction.append("noted", {}))
        ledger.close()
    ledger = _opened(schema)
    assert verify(ledger)[0] == 2
    ledger.close()


def test_each_schema_is_a_project_of_its_own(postgres: Server) -> None:
    one, two = _opened(new_schema(postgres)), _opened(new_schema(postgres))

    def both(transaction: object) -> int:
        del transaction
        # no wait for the other's lock
        two.write(lambda there: there.append("noted", {"n": 2}))
        return len(list(two.events()))

    assert one.write(both) == 1
    assert verify(one)[0] == 0
    assert one.stamp().ledger != two.stamp().ledger
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE TABLE event (mine int)", "holds a table 'event' that is not of seatrial"),
        ("CREATE VIEW mine AS SELECT 1", "holds a table 'mine' that is not of seatrial"),
        ("CREATE TABLE seatrial (mine int)", "a table 'seatrial' that is not a ledger's"),
    ],
)
def test_a_strangers_schema_is_refused_and_left_alone(
    schema: str, statement: str, said: str
) -> None:
    tamper(schema, statement)
    before = _tables(schema)
    error = _refused(schema, UsageError, said, "search_path")
    assert error.exit_code == 2
    assert _tables(schema) == before


def test_what_an_extension_keeps_in_the_schema_is_nobodys(postgres: Server, schema: str) -> None:
    with connected(postgres) as server:
        name = schema.rpartition("%3D")[2]
        try:
            server.execute(f"CREATE EXTENSION pg_stat_statements SCHEMA {name}".encode())
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this PostgreSQL comes without the extension")
    _opened(schema).close()
    assert "pg_stat_statements" in _tables(schema)


def test_a_schema_that_is_not_there_is_named(schema: str) -> None:
    _refused(f"{schema}_not", UsageError, "no schema that search_path", "CREATE SCHEMA")


def test_a_ledger_newer_than_we_know_is_refused_and_left_alone(schema: str) -> None:
    _opened(schema).close()
    tamper(schema, "UPDATE seatrial SET version = 99")
    _refused(schema, UsageError, f"version 99, newer than {KNOWN},", "install a newer seatrial")
    assert asked(schema, "SELECT version FROM seatrial") == [(99,)]


def test_a_worker_of_before_does_not_write_into_a_ledger_that_was_renewed(schema: str) -> None:
    ledger = _opened(schema)
    tamper(schema, "UPDATE seatrial SET version = version + 1")
    with pytest.raises(UsageError, match="install a newer seatrial"):
        ledger.write(lambda transaction: transaction.append("noted", {}))
    assert not list(ledger.events())
    ledger.close()


def test_a_ledger_whose_mark_was_wiped_is_torn_not_new(schema: str) -> None:
    ledger = _opened(schema)
    ledger.write(lambda transaction: transaction.append("noted", {}))
    tamper(schema, "DELETE FROM seatrial")
    _refused(schema, StoreError, "the table 'seatrial', is gone")
    with pytest.raises(StoreError, match="is gone"):
        ledger.write(lambda transaction: transaction.append("noted", {}))
    with pytest.raises(PassingError, match="there is no ledger"):
        ledger.stamp()
    assert len(list(ledger.events())) == 1
    ledger.close()


def test_what_exists_is_known_without_making_anything(schema: str, tmp_path: Path) -> None:
    place = Workspace(tmp_path, tmp_path / ".seatrial", database=schema)
    assert not has_ledger(place)
    with pytest.raises(PassingError, match="there is no ledger"):
        open_ledger(place, existing=True)
    assert not _tables(schema)
    open_ledger(place).close()
    assert has_ledger(place)
    open_ledger(place, existing=True).close()


# Older ones


def test_a_new_step_keeps_the_events(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    head = noted(_opened(schema))
    with monkeypatch.context() as patched:
        renew(patched, second)
        for _ in range(2):
            renewed = _opened(schema)
            assert verify(renewed) == (1, head)
            renewed.close()
    assert "added" in _tables(schema)
    _refused(schema, UsageError, f"version {KNOWN + 1}")  # forward only


def test_a_step_that_breaks_leaves_the_ledger_as_it_was(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = noted(_opened(schema))
    with monkeypatch.context() as patched:
        renew(patched, second, breaks)
        with pytest.raises(ZeroDivisionError):
            _opened(schema)
    ledger = _opened(schema)
    assert verify(ledger) == (1, head)
    assert not {"added", "half"} & _tables(schema)
    ledger.close()


def test_a_first_step_that_breaks_leaves_nothing(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew(monkeypatch, breaks)
    with pytest.raises(ZeroDivisionError):
        _opened(schema)
    assert not _tables(schema)


@pytest.mark.slow
@pytest.mark.parametrize("age", ["new", "old"])
def test_processes_that_open_at_once_agree(postgres: Server, age: str) -> None:
    """Of a new ledger, and of an old one that each wants to renew."""
    addresses = [new_schema(postgres) for _ in range(6)]
    if age == "old":
        for address in addresses:
            noted(_opened(address))
    open_at_once(age, *addresses)
    for address in addresses:
        assert asked(address, "SELECT version FROM seatrial") == [(KNOWN + (age == "old"),)]
        kinds = [kind for (kind,) in asked(address, "SELECT kind FROM event ORDER BY seq")]
        assert kinds == ["noted"] * (age == "old") + ["opened"] * 4


# Who does not let us in


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("mysql://me:keel-3-secret@host/x", "cannot lie in mysql://"),
        ("postgres://me:keel-3-secret@host/x", "nearest: postgresql\n"),
        ("postgresql+asyncpg://me:keel-3-secret@host/x", "cannot lie in postgresql+asyncpg://"),
        ("sqlite:///ledger.db", "leave it out: the ledger is a file then"),
        ("keel-3-secret", "cannot be understood"),
        ("postgresql://me:keel-3-secret@host:x:y/z", "cannot be understood"),
        ("postgresql://me:an@keel-3-secret@127.0.0.1/x", "cannot be understood"),
        ("postgresql://me:keel-3-secret@127.0.0.1/x?color=red", "color"),
        ("postgresql://me:keel-3-secret@127.0.0.1/x?sslmode=often", "sslmode"),
    ],
)
def test_an_address_that_cannot_be_one(address: str, said: str) -> None:
    assert _refused(address, UsageError, said).exit_code == 2


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(sa, "create_engine", absent)
    _refused("postgresql://me@host/x", UsageError, "pip install 'seatrial[postgres]'")


def test_a_server_that_is_not_there(postgres: Server) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = new_schema(postgres).replace(str(postgres.port), str(port))
    error = _refused(address, PassingError, "does not answer", "Connection refused", "postgres:***")
    assert error.exit_code == 5
    _refused("postgresql://me@nowhere.invalid/x", PassingError, "does not answer")


def _rights(postgres: Server, *statements: str) -> None:
    with connected(postgres) as server:
        for statement in statements:
            server.execute(statement.encode())


def test_a_database_and_a_user_that_do_not_exist(postgres: Server) -> None:
    address = new_schema(postgres)
    nowhere = address.replace("/postgres?", "/nowhere?")
    _refused(nowhere, StoreError, 'database "nowhere" does not exist', "createdb")
    nobody = address.replace("//postgres:", "//nobody:")
    _refused(nobody, StoreError, 'role "nobody" does not exist', "create the user")


def test_a_wrong_password_and_none(postgres: Server, schema: str) -> None:
    name = schema.rpartition("%3D")[2]
    _rights(postgres, f"CREATE ROLE mate_{name} LOGIN PASSWORD 'knots'")
    address = schema.replace("//postgres:", f"//mate_{name}:")
    file = Path(asked(schema, "SHOW hba_file")[0][0])
    before = file.read_text()
    try:
        file.write_text(f"host all mate_{name} 127.0.0.1/32 scram-sha-256\n{before}")
        _rights(postgres, "SELECT pg_reload_conf()")
        until(lambda: not _enters(address), "the server asks for passwords")
        _refused(address, StoreError, "password authentication failed", "correct the user")
        without = address.replace(f":{PASSWORD}@", "@")
        _refused(without, StoreError, "no password", "correct the user")
    finally:
        file.write_text(before)
        _rights(postgres, "SELECT pg_reload_conf()")


def _enters(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_user_who_may_not_enter_or_not_make_tables(postgres: Server, schema: str) -> None:
    name = schema.rpartition("%3D")[2]
    _rights(
        postgres,
        f"CREATE ROLE deckhand_{name} LOGIN",
        f"CREATE DATABASE locker_{name}",
        f"REVOKE CONNECT ON DATABASE locker_{name} FROM public",
    )
    address = schema.replace("//postgres:", f"//deckhand_{name}:")
    _refused(address.replace("/postgres?", f"/locker_{name}?"), StoreError, "let this user connect")
    # without USAGE the schema is not even seen
    _refused(address, UsageError, "no schema that search_path")
    _rights(postgres, f"GRANT USAGE ON SCHEMA {name} TO deckhand_{name}")
    error = _refused(address, StoreError, "permission denied", "USAGE and CREATE")
    assert error.exit_code == 5
    assert not _tables(schema)
    _rights(postgres, f"GRANT CREATE ON SCHEMA {name} TO deckhand_{name}")
    _opened(address).close()
    _rights(postgres, f"DROP DATABASE locker_{name}")


def test_a_user_who_may_only_look_is_told_so(postgres: Server, schema: str) -> None:
    _opened(schema).close()
    name = schema.rpartition("%3D")[2]
    _rights(
        postgres,
        f"CREATE ROLE guest_{name} LOGIN",
        f"GRANT USAGE ON SCHEMA {name} TO guest_{name}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO guest_{name}",
    )
    ledger = _opened(schema.replace("//postgres:", f"//guest_{name}:"))
    assert verify(ledger)[0] == 0
    with pytest.raises(StoreError, match="may not do this: permission denied"):
        ledger.write(lambda transaction: transaction.append("noted", {}))
    ledger.close()


def test_a_database_that_cannot_keep_every_text(postgres: Server) -> None:
    name = new_schema(postgres).rpartition("%3D")[2]
    made = f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    _rights(postgres, made)
    address = f"postgresql://postgres@127.0.0.1:{postgres.port}/{name}"
    _refused(address, UsageError, "encoding SQL_ASCII", "createdb -E UTF8")
    _rights(postgres, f"DROP DATABASE {name}")

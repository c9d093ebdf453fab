"""Opening: a ledger that is ours, of any age; never a stranger's file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from renewing import KNOWN, breaks, noted, open_at_once, renew, second
from seatrial.errors import UsageError
from seatrial.ledger import migrations
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.workspace import now

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.ledger.store import Transaction


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def _text(file: Path) -> None:
    file.write_text("these are my notes, not a database, and long enough to have a header\n" * 20)


def _other_program(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE event (mine)")


def _cut(file: Path) -> None:
    Ledger(file, now).close()
    file.write_bytes(b"\0" * 100 + file.read_bytes()[100:])


@pytest.mark.parametrize(
    "name", ["plain", "c#", "100%", "100%41", "what?", "what?mode=memory&x", "ö ü"]
)
def test_it_lies_where_it_should_whatever_the_folder_is_called(tmp_path: Path, name: str) -> None:
    """Of a URI, SQLite would take what stands before # or ? for the file: beside the project."""
    file = tmp_path / name / "ledger.db"
    ledger = Ledger(file, now)
    ledger.write(lambda transaction: transaction.append("said", {"name": name}))
    assert ledger.stamp().ledger == file.stat().st_ino
    ledger.close()
    again = Ledger(file, now)
    assert [event.body for event in again.events()] == [{"name": name}]
    again.close()
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("make", [_text, _other_program, _cut])
def test_what_is_not_ours_is_refused_and_left_alone(
    file: Path, make: Callable[[Path], None]
) -> None:
    make(file)
    before = file.read_bytes(), sorted(file.parent.iterdir())
    with pytest.raises(UsageError, match="not a ledger of seatrial") as raised:
        Ledger(file, now)
    assert raised.value.exit_code == 2
    assert len(str(raised.value).splitlines()) <= 6
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == before


def test_a_ledger_newer_than_we_know_is_refused_and_left_alone(file: Path) -> None:
    Ledger(file, now).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = file.read_bytes()
    with pytest.raises(UsageError, match=f"version 99, newer than {KNOWN},") as raised:
        Ledger(file, now)
    assert "install a newer seatrial" in str(raised.value)
    assert file.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(file: Path) -> None:
    file.touch()
    ledger = Ledger(file, now)
    ledger.write(lambda transaction: transaction.append("noted", {}))
    assert verify(ledger)[0] == 1


def test_writes_are_durable_and_readers_do_not_wait(file: Path) -> None:
    ledger = Ledger(file, now)
    with ledger._database._writer.connect() as connection:  # type: ignore[attr-defined]
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL

    def look(transaction: Transaction) -> str:
        transaction.append("noted", {})
        return ledger.head()  # a read while the write lock is held

    assert ledger.write(look) == "0" * 64


def _version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _names(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def test_a_new_step_copies_the_ledger_first_and_keeps_its_events(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = noted(Ledger(file, now))
    with monkeypatch.context() as patched:
        renew(patched, second)
        renewed = Ledger(file, now)
        assert verify(renewed) == (1, head)
        renewed.close()
        Ledger(file, now).close()  # again: nothing left to do
        assert _version(file) == KNOWN + 1
    backup = file.with_name(f"ledger.db.v{KNOWN}.bak")
    assert [path.name for path in file.parent.glob("*.part")] == []
    assert _version(backup) == KNOWN
    restored = Ledger(backup, now)
    assert verify(restored) == (1, head)
    restored.close()
    with pytest.raises(UsageError, match=f"version {KNOWN + 1}"):  # forward only
        Ledger(file, now)


def test_a_step_that_breaks_leaves_the_ledger_as_it_was(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = noted(Ledger(file, now))
    with monkeypatch.context() as patched:
        renew(patched, second, breaks)
        with pytest.raises(ZeroDivisionError):
            Ledger(file, now)
    assert _version(file) == KNOWN
    ledger = Ledger(file, now)
    assert verify(ledger) == (1, head)
    with ledger.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
    assert not {"added", "half"} & set(names)


@pytest.mark.parametrize(
    ("steps", "added"),
    [
        (1, {"gateway", "shadow", "tally", "firing", "review", "holdout", "drift", "token"}),
        (3, {"holdout", "drift", "token"}),
        (4, {"token"}),
    ],
)
def test_a_ledger_from_before_is_renewed(
    file: Path, monkeypatch: pytest.MonkeyPatch, steps: int, added: set[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "STEPS", migrations.STEPS[:steps])
        head = noted(Ledger(file, now))
        assert not added & _names(file)
    with closing(sqlite3.connect(file)) as connection:  # they came later than their table
        connection.executescript("DROP INDEX run_newest; DROP INDEX run_unfinished")
        connection.executescript("DROP INDEX event_of_kind")
        if steps > 1:
            connection.executescript("ALTER TABLE gateway DROP COLUMN control")
    renewed = Ledger(file, now)
    assert verify(renewed) == (1, head)
    assert added <= _names(file)
    assert {"run_newest", "run_unfinished", "event_of_kind"} <= _names(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("SELECT control FROM gateway")
    assert _version(file.with_name(f"ledger.db.v{steps}.bak")) == steps
    renewed.close()


def test_a_new_ledger_has_nothing_to_copy(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renew(monkeypatch, second)
    Ledger(file, now).close()
    assert not list(file.parent.glob("*.bak"))


@pytest.mark.slow
@pytest.mark.parametrize("age", ["new", "old"])
def test_processes_that_open_at_once_agree(tmp_path: Path, age: str) -> None:
    """Of a new ledger, and of an old one that each wants to renew."""
    folders = [tmp_path / str(number) for number in range(6)]
    for folder in folders:
        folder.mkdir()
        if age == "old":
            noted(Ledger(folder / "ledger.db", now))
    open_at_once(age, *(str(folder / "ledger.db") for folder in folders))
    for folder in folders:
        assert _version(folder / "ledger.db") == KNOWN + (age == "old")
        with closing(sqlite3.connect(folder / "ledger.db")) as connection:
            kinds = connection.execute("SELECT kind FROM event ORDER BY seq").fetchall()
        assert [kind for (kind,) in kinds] == ["noted"] * (age == "old") + ["opened"] * 4
        if age == "old":
            assert _version(folder / f"ledger.db.v{KNOWN}.bak") == KNOWN

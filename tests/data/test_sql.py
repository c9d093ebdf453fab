"""Tables and queries of databases become datasets."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from seatrial.data.dataset import Dataset, find
from seatrial.data.sources import sql
from seatrial.data.table import Table, open_table
from seatrial.errors import FormError, PassingError, SeatrialError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import Server

FILL = """
CREATE TABLE flights (id INTEGER PRIMARY KEY, carrier TEXT, delay REAL, late BOOLEAN, note TEXT);
INSERT INTO flights VALUES (2, 'AA', 1.5, true, NULL), (1, 'UA', NULL, false, NULL);
CREATE VIEW late_flights AS SELECT * FROM flights WHERE late;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.executescript(FILL)
    return tmp_path


def _open(folder: Path, **entry: str) -> Table:
    return open_table(find("d", folder, {"d": {"database": "sqlite:///x.db", **entry}}))


def test_table_by_its_key_with_types_of_its_values(folder: Path) -> None:
    table = _open(folder, table="flights")
    assert [(c.name, c.kind) for c in table.columns] == [
        ("id", "number"), ("carrier", "string"), ("delay", "number"), ("late", "number"),
        ("note", "string"),
    ]  # fmt: skip
    assert table.numbers("id").tolist() == [1, 2]
    assert table.strings("carrier").tolist() == ["UA", "AA"]
    assert table.strings("note").tolist() == [None, None]


def test_view_and_query(folder: Path) -> None:
    assert _open(folder, table="late_flights").strings("carrier").tolist() == ["AA"]
    query = (
        "SELECT carrier, '50%' AS \"a:b\" FROM flights WHERE carrier LIKE '%A' ORDER BY id DESC;"
    )
    table = _open(folder, query=query)
    assert table.strings("carrier").tolist() == ["AA", "UA"]
    assert table.strings("a:b").tolist() == ["50%", "50%"]


def test_fingerprint_is_of_the_content_in_its_order(folder: Path) -> None:
    def of(query: str) -> str:
        return _open(folder, query=query).fingerprint

    by_id = of("SELECT * FROM flights ORDER BY id")
    assert by_id == of("SELECT id, carrier, delay, late, note FROM flights ORDER BY id")
    assert by_id == _open(folder, table="flights").fingerprint
    assert by_id != of("SELECT * FROM flights ORDER BY id DESC")
    assert by_id != of("SELECT id AS nr, carrier, delay, late, note FROM flights ORDER BY id")


def test_a_type_that_gets_wider_late(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "BATCH", 2)
    values = [None, None, 1, 2, 2.5, None, 9e18 * 10, 7]
    rows = " UNION ALL ".join(
        f"SELECT {i} AS n, {'NULL' if v is None else repr(v)} AS x, "
        f"{repr('a') if i == 6 else i} AS t"
        for i, v in enumerate(values)
    )
    table = _open(folder, query=f"SELECT * FROM ({rows}) ORDER BY n")  # noqa: S608
    assert [c.kind for c in table.columns] == ["number", "number", "string"]
    assert [None if v != v else v for v in table.numbers("x").tolist()] == values  # noqa: PLR0124
    assert table.strings("t").tolist() == ["0", "1", "2", "3", "4", "5", "a", "7"]


def test_no_rows(folder: Path) -> None:
    with pytest.raises(FormError, match="no rows"):
        _open(folder, query="SELECT * FROM flights WHERE id > 9")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"table": "fligths"}, ["no table 'fligths'", "nearest: flights"]),
        ({"query": "SELECT * FROM nowhere"}, ["cannot answer", "nowhere"]),
        ({"query": "SELEC 1"}, ["cannot answer", "SELEC"]),
        ({"query": "DELETE FROM flights"}, ["readonly"]),
        ({"query": "SELECT 1 AS a, 2 AS a"}, ["duplicate column name 'a'"]),
        ({"database": "sqlite:///y.db", "table": "flights"}, ["no database 'y.db'", "x.db"]),
        ({"database": "sqlite:///notes.txt", "table": "flights"}, ["not a database"]),
        ({"database": "oracle+nothing://h/d", "table": "t"}, ["cannot be understood"]),
    ],
)
def test_what_the_database_cannot_answer(
    folder: Path, entry: dict[str, str], said: list[str]
) -> None:
    (folder / "notes.txt").write_text("no database at all, but long enough to be read " * 20)
    with pytest.raises(SeatrialError) as caught:
        _open(folder, **entry)
    assert caught.value.exit_code == 2, caught.value
    assert all(words in str(caught.value) for words in said), caught.value
    assert len(str(caught.value).splitlines()) <= 6
    assert not (folder / "y.db").exists()
    assert _open(folder, table="flights").rows == 2


def test_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(sa, "create_engine", absent)
    with pytest.raises(FormError, match=r"pip install 'seatrial\[postgres\]'"):
        open_table(Dataset("d", database="postgresql+psycopg://me@host/x", table="t"))


@pytest.fixture
def warehouse(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    url = postgres.url().replace("postgres@", "postgres:Geh3im@")
    monkeypatch.setenv("WAREHOUSE", url)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return engine


def _from_warehouse(**entry: str) -> Table:
    return open_table(Dataset("d", database_env="WAREHOUSE", **entry))  # type: ignore[arg-type]


def test_postgres_types(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            """CREATE TABLE t (id int PRIMARY KEY, n numeric(10, 2), b boolean, s text, d date,
                at timestamptz, u uuid, j jsonb, raw bytea, many int[], none text);
            INSERT INTO t VALUES
                (2, 1.25, true, 'x', '2024-01-02', '2024-01-02 10:00+02', gen_random_uuid(),
                 '{"a": 1}', 'x', '{1,2}', NULL),
                (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""
        )
    table = _from_warehouse(table="public.t")
    assert {c.name: c.kind for c in table.columns} == {
        "id": "number", "n": "number", "b": "boolean", "s": "string", "d": "time", "at": "time",
        "u": "string", "j": "string", "raw": "other", "many": "string", "none": "string",
    }  # fmt: skip
    assert table.numbers("id").tolist() == [1, 2]
    assert table.numbers("n").tolist()[1] == 1.25
    assert table.strings("at").tolist() == [None, "2024-01-02 08:00:00"]


def test_postgres_streams_many_rows(warehouse: sa.Engine) -> None:
    table = _from_warehouse(
        query="SELECT i, i % 7 AS m FROM generate_series(1, 25000) i ORDER BY i"
    )
    assert table.rows == 25_000
    assert table.sql("SELECT sum(i), max(m) FROM rows") == [(25_000 * 25_001 // 2, 6)]
    assert table.numbers("i").tolist() == list(range(1, 25_001))
    del warehouse


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        ({"table": "flihgts"}, 2, ["no table 'flihgts'", "nearest: flights"]),
        ({"query": "SELECT nothing FROM flights"}, 2, ["cannot answer", "nothing"]),
        ({"query": "DROP TABLE flights"}, 2, ["cannot answer"]),
        ({"query": "SELECT 1 / (id - 1) FROM flights"}, 2, ["division by zero"]),
    ],
)
def test_postgres_cannot_answer(
    warehouse: sa.Engine, entry: dict[str, str], code: int, said: list[str]
) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE flights (id int); INSERT INTO flights VALUES (1)")
    with pytest.raises(SeatrialError) as caught:
        _from_warehouse(**entry)
    assert caught.value.exit_code == code, caught.value
    assert all(words in str(caught.value) for words in said), caught.value
    assert len(str(caught.value).splitlines()) <= 6
    assert "Geh3im" not in str(caught.value)
    assert _from_warehouse(table="flights").rows == 1


def test_postgres_table_that_may_not_be_read(warehouse: sa.Engine, postgres: Server,
                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE secrets (id int); DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN; "
            "GRANT USAGE ON SCHEMA public TO guest"
        )
    monkeypatch.setenv("WAREHOUSE", postgres.url().replace("postgres@", "guest@"))
    with pytest.raises(StoreError, match="permission denied"):
        _from_warehouse(table="secrets")


def test_postgres_that_is_down_and_a_variable_that_is_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAREHOUSE", "postgresql+psycopg://me:Geh3im@127.0.0.1:9/x")
    with pytest.raises(PassingError, match="does not let us in") as caught:
        _from_warehouse(table="flights")
    assert "Geh3im" not in str(caught.value)
    monkeypatch.delenv("WAREHOUSE")
    with pytest.raises(StoreError, match="WAREHOUSE is not set"):
        _from_warehouse(table="flights")

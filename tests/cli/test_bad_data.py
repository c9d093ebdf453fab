"""Data that cannot be opened, through the command line: told in six lines, nothing left behind."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seatrial.data.sources import fingerprint
from stores import aim, refusing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Program, Said

    from postgres import Server

PIPELINE = """
name: harbour
datasets:
  flights: {{{entry}}}
stages:
  - name: validate
    tasks:
      - check_schema: {{dataset: flights, expected_columns: [a]}}
"""

MANY = b"a,b\n" + b"1,2\n" * 3000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; whatever a command leaves in the folder for temporary files fails."""
    project, temporary = tmp_path / "project", tmp_path / "temporary"
    project.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield project
    assert not list(temporary.iterdir())


def _run(seatrial: Program, folder: Path, entry: str) -> Said:
    (folder / "pipeline.yaml").write_text(PIPELINE.format(entry=entry))
    return seatrial("run", "pipeline.yaml")


def _refused(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said
    assert all(word in said.err for word in words), said.err
    assert "Traceback" not in said.err
    mistakes = said.mistakes
    assert mistakes
    assert all(len(lines) <= 6 for lines in mistakes), said.err
    assert "fix: " in said.err


FILES: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "ragged rows": ("f.csv", MANY + b"3\n", ("expected 2 fields, got 1", "f.csv:3002")),
    "a quote left open": ("f.csv", MANY + b'1,"x\n2,3\n', ("quoted field", "f.csv:3002")),
    "UTF-8, then Latin-1": ("f.csv", MANY + "1,é\n".encode() + b"2,\xe9\n",
                            ("not UTF-8", "f.csv:3003", "iconv -f LATIN1")),
    "UTF-16": ("f.csv", "\ufeffa,b\n1,2\n".encode("utf-16"), ("UTF-16", "iconv -f UTF-16")),
    "a NUL byte": ("f.csv", MANY + b"1,x\x00y\n", ("NUL byte", "f.csv:3002")),
    "an empty first line": ("f.csv", b"\na,b\n1,2\n", ("empty line", "f.csv:1")),
    "gzip cut in half": ("f.csv.gz", gzip.compress(MANY)[:-20], ("damaged",)),
    "JSON cut in half": ("f.json", b'[{"a": 1}, {"a"', ("damaged",)),
    "another kind": ("f.xlsx", b"PK", ("unknown kind of file '.xlsx'",)),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), FILES.values(), ids=FILES)
def test_files(
    name: str, content: bytes, said: tuple[str, ...], folder: Path, seatrial: Program
) -> None:
    (folder / name).write_bytes(content)
    _refused(_run(seatrial, folder, f"path: {name}"), 2, *said)
    _refused(seatrial("profile", name, "-o", "baseline.json"), 2, *said)
    assert not (folder / "baseline.json").exists()


def test_parquet_cut_in_half(folder: Path, seatrial: Program) -> None:
    pq.write_table(pa.table({"a": list(range(9000))}), folder / "f.parquet")
    content = (folder / "f.parquet").read_bytes()
    (folder / "f.parquet").write_bytes(content[: len(content) // 2])
    _refused(_run(seatrial, folder, "path: f.parquet"), 2, "damaged", "f.parquet")


def test_schema_that_changes_between_partitions(folder: Path, seatrial: Program) -> None:
    for year, rows in ((2023, {"a": [1]}), (2024, {"a": ["1"]})):
        (folder / f"d/year={year}").mkdir(parents=True)
        pq.write_table(pa.table(rows), folder / f"d/year={year}/0.parquet")
    said = _run(seatrial, folder, "path: d")
    _refused(said, 2, "column 'a' is VARCHAR, but BIGINT in year=2023/0.parquet", "year=2024/0")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["31/12/2024", "01/01/2025"], "string"),
        (['"1,234"', '"5,678"'], "string"),
        (["inf", "-inf", "1.5"], "number"),
        (["", ""], "string"),
    ],
    ids=["dates as text", "thousands separators", "infinities", "an empty column"],
)
def test_what_is_no_mistake_of_form(
    values: list[str], kind: str, folder: Path, seatrial: Program
) -> None:
    """It opens; what a check says of it is a verdict."""
    (folder / "f.csv").write_text("a,b\n" + "".join(f"{v},1\n" for v in values))
    said = _run(seatrial, folder, "path: f.csv")
    assert said.code == 0, said
    assert seatrial("profile", "f.csv", "-o", "p.json").code == 0
    assert f'"kind":"{kind}"' in (folder / "p.json").read_text().replace(" ", "").replace("\n", "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "vanished while it was read"),
        (lambda path: path.write_text("a\n5\n6\n7\n"), "changed while it was read"),
    ],
)
def test_file_that_vanishes_or_changes_while_read(
    change: Callable[[Path], Any], said: str, folder: Path, seatrial: Program,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = folder / "f.csv"
    path.write_text("a\n1\n")
    look = fingerprint.look

    def looked(*words: Any) -> Any:
        found = look(*words)
        change(path)
        return found

    monkeypatch.setattr("seatrial.data.sources.local.look", looked)
    _refused(_run(seatrial, folder, "path: f.csv"), 2, said, "run again")


def test_s3(folder: Path, seatrial: Program, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    del s3
    said = _run(seatrial, folder, "path: s3://no-such-harbour/f.csv")
    _refused(said, 2, "bucket does not exist", "s3://no-such-harbour/f.csv")
    with refusing() as endpoint:
        aim(monkeypatch, endpoint)
        said = _run(seatrial, folder, "path: s3://harbour/f.csv")
        _refused(said, 5, "refuses", "s3://harbour/f.csv")
    aim(monkeypatch, "http://127.0.0.1:9")
    said = _run(seatrial, folder, "path: s3://harbour/f.csv")
    _refused(said, 5, "cannot be reached")


def test_database(folder: Path, seatrial: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(folder / "x.db")) as connection:
        connection.executescript("CREATE TABLE flights (a INT); INSERT INTO flights VALUES (1)")
    assert _run(seatrial, folder, "database: sqlite:///x.db, table: flights").code == 0
    said = _run(seatrial, folder, "database: sqlite:///x.db, table: fligths")
    _refused(said, 2, "no table 'fligths'", "nearest: flights")
    _refused(_run(seatrial, folder, "database: sqlite:///y.db, table: flights"), 2, "no database")
    monkeypatch.setenv("WAREHOUSE", "postgresql+psycopg://me:Geh3im@127.0.0.1:9/x")
    said = _run(seatrial, folder, "database_env: WAREHOUSE, table: flights")
    _refused(said, 5, "does not let us in", "$WAREHOUSE, table flights")
    assert "Geh3im" not in said.err


def test_postgres_table_that_does_not_exist(
    folder: Path, seatrial: Program, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", postgres.url())
    said = _run(seatrial, folder, "database_env: WAREHOUSE, table: pg_catalog.pg_clas")
    _refused(said, 2, "no table", "nearest: pg_catalog.pg_class")


def test_a_password_in_the_file_is_refused_and_not_repeated(
    folder: Path, seatrial: Program
) -> None:
    entry = "database: 'postgresql+psycopg://me:Geh3im@host/x', table: flights"
    said = _run(seatrial, folder, entry)
    _refused(said, 2, "holds a password", "pipeline.yaml:4", "database_env")
    assert "Geh3im" not in said.err + said.out


def test_another_content_is_another_run(folder: Path, seatrial: Program) -> None:
    with closing(sqlite3.connect(folder / "x.db")) as connection:
        connection.executescript("CREATE TABLE flights (a INT); INSERT INTO flights VALUES (1)")
    entry = "database: sqlite:///x.db, table: flights"
    first = _run(seatrial, folder, entry)
    with closing(sqlite3.connect(folder / "x.db")) as connection:
        connection.executescript("DROP TABLE flights; CREATE TABLE flights (b INT)")
        connection.executescript("INSERT INTO flights VALUES (1)")
    assert [first.code, _run(seatrial, folder, entry).code] == [0, 1]

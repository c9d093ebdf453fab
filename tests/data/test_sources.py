"""Files of every kind, alone and in folders, become the same rows."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, ipc

from seatrial.data.dataset import Dataset, find
from seatrial.data.sources import arrow, delimited
from seatrial.data.sources.scratch import Scratch
from seatrial.data.table import Table, open_table
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [{"n": i, "x": i / 2, "s": f"v{i}", "b": i % 2 == 0} for i in range(7)]
TEXT = "n,x,s,b\n" + "".join(f"{r['n']},{r['x']},{r['s']},{str(r['b']).lower()}\n" for r in ROWS)
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def _arrow(path: Path) -> None:
    table = pa.Table.from_pylist(ROWS)
    with ipc.new_stream(path, table.schema) as stream:
        for batch in table.to_batches(3):
            stream.write_batch(batch)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "d.csv": lambda path: path.write_text(TEXT),
    "d.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "d.tsv": lambda path: path.write_text(TEXT.replace(",", "\t")),
    "d.tsv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.replace(",", "\t").encode())),
    "d.json": lambda path: path.write_text(json.dumps(ROWS)),
    "d.json.gz": lambda path: path.write_bytes(gzip.compress(json.dumps(ROWS).encode())),
    "d.jsonl": lambda path: path.write_text(LINES),
    "d.jsonl.gz": lambda path: path.write_bytes(gzip.compress(LINES.encode())),
    "d.ndjson": lambda path: path.write_text(LINES),
    "d.parquet": lambda path: pq.write_table(pa.Table.from_pylist(ROWS), path),
    "d.arrow": _arrow,
    "d.feather": lambda path: feather.write_feather(pa.Table.from_pylist(ROWS), path),
}


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("name", WRITERS)
def test_every_kind(name: str, size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if size == "large":
        for reader in (arrow, delimited):
            monkeypatch.setattr(reader, "SMALL", 0)
    WRITERS[name](tmp_path / name)
    table = open_table(Dataset("d", tmp_path / name))
    assert table.sql("SELECT n, x, s, b FROM rows") == [tuple(row.values()) for row in ROWS]
    assert [c.kind for c in table.columns] == ["number", "number", "string", "boolean"]


def test_fingerprint_of_a_packed_file_is_of_its_own_bytes(tmp_path: Path) -> None:
    found = set()
    for level in (1, 9):
        (tmp_path / "d.csv.gz").write_bytes(gzip.compress(TEXT.encode() * 9, level, mtime=0))
        found.add(open_table(Dataset("d", tmp_path / "d.csv.gz")).fingerprint)
    assert len(found) == 2


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "d"
    for year, number in ((2023, 0), (2024, 0), (2024, 1)):
        place = folder / f"year={year}"
        place.mkdir(parents=True, exist_ok=True)
        rows = {"a": [year * 10 + number], "s": ["x"]}
        pq.write_table(pa.table(rows), place / f"part-{number}.parquet")
    (folder / "_SUCCESS").touch()
    return folder


def test_folder_of_the_name_with_its_partitions(parts: Path) -> None:
    table = open_table(find("d", parts.parents[1], {}))
    assert table.sql("SELECT a, s, year FROM rows") == [
        (20230, "x", 2023), (20240, "x", 2024), (20241, "x", 2024)
    ]  # fmt: skip


def test_folders_above_say_nothing_of_the_rows(parts: Path, tmp_path: Path) -> None:
    target = tmp_path / "stage=test" / "d"
    shutil.copytree(parts, target)
    assert [c.name for c in open_table(Dataset("d", target)).columns] == ["a", "s", "year"]
    lone = target / "year=2023" / "part-0.parquet"
    assert [c.name for c in open_table(Dataset("d", lone)).columns] == ["a", "s"]


def test_pattern(parts: Path) -> None:
    table = open_table(Dataset("d", parts / "year=2024" / "*.parquet"))
    assert table.numbers("a").tolist() == [20240, 20241]
    table = open_table(Dataset("d", parts / "year=*" / "part-0.parquet"))
    assert table.numbers("a").tolist() == [20230, 20240]
    with pytest.raises(FormError, match="no file fits"):
        open_table(Dataset("d", parts / "*.csv"))


def test_fingerprint_of_a_folder_is_of_its_names_and_contents(parts: Path, tmp_path: Path) -> None:
    def of(folder: Path) -> str:
        return open_table(Dataset("d", folder)).fingerprint

    first = of(parts)
    copy = tmp_path / "copy"
    shutil.copytree(parts, copy)
    assert of(copy) == first
    (copy / "year=2023").rename(copy / "year=2022")
    assert of(copy) != first
    pq.write_table(pa.table({"a": [1], "s": ["y"]}), parts / "year=2023" / "part-0.parquet")
    assert of(parts) != first


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"a": [1]}, ["column 's' is missing"]),
        ({"a": [1], "s": ["x"], "z": [1]}, ["column 'z' is not in year=2023/part-0.parquet"]),
        ({"a": ["1"], "s": ["x"]}, ["column 'a' is VARCHAR, but BIGINT"]),
        ({"a": [1], "ss": ["x"]}, ["column 's' is missing", "column 'ss' is not in"]),
    ],
)
def test_a_schema_that_changes_between_files(
    parts: Path, rows: dict[str, Any], said: list[str]
) -> None:
    pq.write_table(pa.table(rows), parts / "year=2024" / "part-1.parquet")
    with pytest.raises(FormError) as caught:
        open_table(Dataset("d", parts))
    text = str(caught.value)
    assert all(words in text for words in (*said, "year=2024/part-1.parquet"))
    assert "part-0.parquet, column" not in text


def test_a_damaged_file_among_others_is_named(parts: Path) -> None:
    path = parts / "year=2024" / "part-1.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FormError, match=r"year=2024/part-1\.parquet"):
        open_table(Dataset("d", parts))


def test_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormError, match="without a Parquet file"):
        open_table(Dataset("d", tmp_path / "empty"))
    (tmp_path / "empty" / "a.csv").write_text("a\n1\n")
    with pytest.raises(FormError, match=r"a\.csv is no Parquet file"):
        open_table(Dataset("d", tmp_path / "empty"))


@pytest.mark.parametrize("width", [300, 2000])
def test_many_like_columns_of_records(width: int, tmp_path: Path) -> None:
    """They are columns, and no mapping from words to numbers; each record may lack most."""
    whole = {f"c{i}": i / 2 for i in range(width)}
    few = [{f"c{i}": 0.5} for i in range(0, width, 10)]
    (tmp_path / "d.jsonl").write_text("\n".join(json.dumps(row) for row in (whole, *few)))
    table = open_table(Dataset("d", tmp_path / "d.jsonl"))
    assert (table.rows, len(table.columns)) == (1 + len(few), width)
    assert {column.type for column in table.columns} == {"DOUBLE"}


@pytest.mark.slow
def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(10_000)]
    row = ",".join("1.5" if i % 2 else "x" for i in range(10_000))
    (tmp_path / "d.csv").write_text(f"{','.join(names)}\n{row}\n{row}\n")
    table = open_table(Dataset("d", tmp_path / "d.csv"))
    assert len(table.columns) == 10_000
    assert [table["c9998"].type, table["c9999"].type] == ["VARCHAR", "DOUBLE"]
    assert table.numbers("c9999").tolist() == [1.5, 1.5]
    (tmp_path / "d.csv").write_text(f"{','.join(names)}\n{row}\n{row},1\n")
    with pytest.raises(FormError, match="expected 10000 fields, got 10001"):
        open_table(Dataset("d", tmp_path / "d.csv"))


def test_numbers_larger_than_the_memory_of_scans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training reads all rows at once; only counting keeps to its limit."""
    monkeypatch.setattr("seatrial.data.sources.connection.LEAST_MB", 32)
    monkeypatch.setattr("seatrial.data.sources.connection.THREAD_MB", 16)
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({f"c{i}": np.arange(1_000_000.0) for i in range(12)}), path)
    table = open_table(Dataset("d", path))
    found = table.many([f"c{i}" for i in range(12)], [])
    assert all(values.sum() == 999_999 * 500_000 for values in found.values())


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    good, bad = tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    good.write_bytes(gzip.compress(b"a\n1\n"))
    bad.write_bytes(gzip.compress(b"a\n1,2\n"))
    table: Table | None = open_table(Dataset("d", good))
    assert list((tmp_path / "tmp").iterdir())
    with pytest.raises(FormError):
        open_table(Dataset("d", bad))
    del table
    assert not list((tmp_path / "tmp").iterdir())


def test_what_killed_programs_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a folder whose lock was gone before the program was."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, files in (("a", ("in-use", "rows.parquet")), ("b", ("rows.parquet",))):
        left = tmp_path / f"seatrial-scratch-{name}"
        left.mkdir()
        for file in files:
            (left / file).touch()
    mine = Scratch()
    assert [*tmp_path.iterdir()] == [mine.path]
    mine.remove()
    assert not [*tmp_path.iterdir()]

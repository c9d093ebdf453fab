"""What cannot be opened or typed: one clear error, six lines at most, exit 2."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seatrial.data.dataset import Dataset
from seatrial.data.sources import csv_form
from seatrial.data.table import open_table
from seatrial.errors import FormError

if TYPE_CHECKING:
    from pathlib import Path

LATE = b"a,b\n" + b"1,2\n" * 30_000


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("d.csv", b"", ["empty file"]),
        ("d.csv", b"a,b\n", ["no rows"]),
        ("d.csv", b"a,b", ["no rows"]),
        ("d.parquet", b"", ["empty file"]),
        ("d.csv", b"a,b\n1,x\n2,caf\xe9\n", ["UTF-8", "d.csv:3"]),
        ("d.csv", b"a,caf\xe9\n1,x\n", ["UTF-8", "d.csv:1"]),
        ("d.csv", LATE + b"1,\xe9\n", ["UTF-8", "d.csv:30002"]),
        ("d.csv", b"a,b\n1,2\n3\n4,5\n", ["expected 2 fields, got 1", "d.csv:3"]),
        ("d.csv", b"a,b\n1,2\n3,4,5\n4,5\n", ["expected 2 fields, got 3", "d.csv:3"]),
        ("d.csv", b'a,b\n1,"x\ny"\n3\n', ["expected 2 fields, got 1", "d.csv:4"]),
        ("d.csv", LATE + b"1,2,3\n", ["expected 2 fields, got 3", "d.csv:30002"]),
        ("d.tsv", b"a\tb\n1\t2\n3\n", ["expected 2 fields, got 1", "d.tsv:3"]),
        ("d.csv", b"title\na,b\n1,2\n", ["expected 1 field, got 2", "d.csv:2"]),
        ("d.csv", b'a,b\n1,"x\n', ["quoted field", "d.csv:2"]),
        ("d.csv", b'a,b\n1,"x"y\n', ["quoted field", "d.csv:2"]),
        ("d.csv", b"a,b,a\n1,2,3\n", ["duplicate column name 'a'"]),
        ("d.csv", b"a,b,A\n1,2,3\n", ["duplicate column name 'A'", "'a'"]),
        ("d.csv", b"a,,b\n1,2,3\n", ["column 2 has no name"]),
        ("d.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], ["damaged"]),
        ("d.csv.gz", b"a,b\n1,2\n", ["damaged"]),
        ("d.parquet", b"PAR1 not really PAR1", ["damaged"]),
        ("d.arrow", b"not arrow, surely not", ["damaged"]),
        ("d.json", b'[{"a": 1}, {"a"', ["damaged"]),
        ("d.jsonl", b'{"a": 1}\n{"a": \xe9}\n', ["damaged"]),
        ("d.json", b"[1, 2]", ["damaged"]),
        ("d.json", b"[]", ["damaged", "expected records"]),
        ("d.xlsx", b"PK", ["unknown kind of file '.xlsx'", ".parquet"]),
    ],
)
def test_bad_file(tmp_path: Path, name: str, content: bytes, said: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    _refused(path, *said)


def _refused(path: Path, *said: str) -> None:
    with pytest.raises(FormError) as caught:
        open_table(Dataset("sea", path))
    text = str(caught.value)
    assert caught.value.exit_code == 2
    for words in ("sea", str(path), "fix:", *said):
        assert words in text
    assert all(len(str(mistake).splitlines()) <= 6 for mistake in caught.value.mistakes)
    assert "LINE 1" not in text


def test_missing_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "flights.csv").touch()
    _refused(tmp_path / "flight.csv", "does not exist", "nearest: flights.csv")


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    _refused(tmp_path / "d.csv", "folder")


def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root reads everything: be nobody for a moment
        os.seteuid(65534)
    try:
        _refused(path, "may not be read")
    finally:
        os.seteuid(user)


def test_duplicate_names_in_parquet(tmp_path: Path) -> None:
    arrays = [pa.array([1]), pa.array([[1]]), pa.array([2])]
    pq.write_table(pa.Table.from_arrays(arrays, names=["a", "b", "a"]), tmp_path / "d.parquet")
    _refused(tmp_path / "d.parquet", "duplicate column name 'a'")


def test_all_ragged_rows_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b\n1\n2\n3,4\n5\n")
    with pytest.raises(FormError) as caught:
        open_table(Dataset("d", tmp_path / "d.csv"))
    assert [m.where[-1] for m in caught.value.mistakes] == ["2", "3", "5"]


def test_parquet_damaged_inside(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    pq.write_table(pa.table({"a": [f"{i * 7919 % 10007}" for i in range(20_000)]}), path)
    content = bytearray(path.read_bytes())
    content[100:20_000] = b"\xff" * 19_900
    path.write_bytes(content)
    with pytest.raises(FormError, match="damaged"):
        open_table(Dataset("d", path)).strings("a")


def test_unknown_column_and_text_for_numbers(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("carrier\nAA\n")
    table = open_table(Dataset("d", tmp_path / "d.csv"))
    with pytest.raises(FormError, match="nearest: carrier"):
        table.column("carier")
    with pytest.raises(FormError, match="holds 'AA' where a number"):
        table.numbers("carrier")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b" * 1000, r"a line of more than .* MiB\n  where: .*d\.csv:1\n"),
        ("a,b\n1,2,3\n1," + "2" * 2000, r"a line of more than .* MiB\n  where: .*d\.csv:3\n"),
        ('a,"b\n' + "1,2\n" * 1000, r"quoted field is not closed .*\n  where: .*d\.csv:1\n"),
    ],
)
def test_what_does_not_end_is_not_read_to_the_end(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without line ends, or with an open quote, may be larger than the memory."""
    monkeypatch.setattr(csv_form, "_LONGEST", 1000)
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(FormError, match=said):
        open_table(Dataset("d", tmp_path / "d.csv"))

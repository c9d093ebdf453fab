"""Files become typed columns."""

from __future__ import annotations

import gzip
import json
import string
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from seatrial.data.dataset import Dataset
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Opened

ROWS: dict[str, list[Any]] = {
    "n": [1, 2, None],
    "x": [0.5, None, 2.5],
    "b": [True, False, None],
    's"q r': ["u", None, ""],
}


def _written(folder: Path, suffix: str) -> Path:
    path = folder / f"d[1]*{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table(ROWS), path)
    elif suffix == ".arrow":
        with ipc.new_file(path, pa.table(ROWS).schema) as file:
            file.write_table(pa.table(ROWS))
    elif suffix == ".json":
        path.write_text(json.dumps(_records()))
    elif suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in _records()))
    else:
        comma = "\t" if suffix == ".tsv" else ","
        lines = [["n", "x", "b", '"s""q r"'], ["1", "0.5", "true", "u"]]
        lines += [["2", "", "false", ""], ["", "2.5", "", ""]]
        text = "".join(comma.join(line) + "\n" for line in lines).encode()
        path.write_bytes(gzip.compress(text) if suffix.endswith(".gz") else text)
    return path


def _records() -> list[dict[str, Any]]:
    return [{name: column[i] for name, column in ROWS.items()} for i in range(3)]


@pytest.mark.parametrize(
    "suffix", [".csv", ".csv.gz", ".tsv", ".json", ".jsonl", ".parquet", ".arrow"]
)
def test_every_format_reads_alike(tmp_path: Path, suffix: str) -> None:
    table = open_table(Dataset("d", _written(tmp_path, suffix)))
    assert table.rows == 3
    assert [c.name for c in table.columns] == list(ROWS)
    assert [c.kind for c in table.columns] == ["number", "number", "boolean", "string"]
    assert table.columns[0].is_integer
    assert not table.columns[1].is_integer
    np.testing.assert_array_equal(table.numbers("n"), [1, 2, np.nan])
    np.testing.assert_array_equal(table.column("b"), [1, 0, np.nan])
    assert table.numbers("x").dtype == np.float64
    assert table.strings('s"q r').tolist()[:2] == ["u", None]
    assert table.strings("b").tolist() == ["true", "false", None]


def test_arrow_stream(tmp_path: Path) -> None:
    path = tmp_path / "d.arrow"
    with ipc.new_stream(path, pa.table(ROWS).schema) as file:
        file.write_table(pa.table(ROWS))
    assert open_table(Dataset("d", path)).rows == 3


def test_types_come_from_all_rows(opened: Opened) -> None:
    table = opened("a,b\n" + "1,1\n" * 30_000 + "x,1.5\n")
    assert [c.kind for c in table.columns] == ["string", "number"]
    assert not table["b"].is_integer


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("7", "number"),
        ("1e300", "number"),
        ("99999999999999999999", "number"),
        ("false", "boolean"),
        ("2024-01-01", "time"),
        ("2024-01-01 10:00:00", "time"),
        ("007", "string"),
        ("#x", "string"),
        ("a b", "string"),
        ("", "string"),
    ],
)
def test_kinds(opened: Opened, value: str, kind: str) -> None:
    assert opened(f"c,d\n{value},1\n")["c"].kind == kind


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (pa.array([[1]]), "other"),
        (pa.array([{"a": 1}]), "other"),
        (pa.array([b"x"]), "other"),
        (pa.array([1], pa.timestamp("us", "UTC")), "time"),
        (pa.array([1], pa.uint8()), "number"),
        (pa.array([1.5], pa.float32()), "number"),
        (pa.array(["x"]).dictionary_encode(), "string"),
        (pa.nulls(1), "string"),
    ],
)
def test_kinds_of_arrow(tmp_path: Path, value: pa.Array, kind: str) -> None:
    path = tmp_path / "d.arrow"
    content = pa.table({"c": value})
    with ipc.new_file(path, content.schema) as file:
        file.write_table(content)
    assert open_table(Dataset("d", path))["c"].kind == kind


@pytest.mark.parametrize("text", ["a,b\r\n1,x\n2,y\r\n", "\ufeffa,b\n1,x\n2,y\n", "a,b\n1,x\n2,y"])
def test_line_ends_and_marks(opened: Opened, text: str) -> None:
    table = opened(text)
    assert table.strings("b").tolist() == ["x", "y"]
    assert table["a"].kind == "number"


def test_first_row_is_always_the_header(opened: Opened) -> None:
    assert [c.name for c in opened("1,2\n3,4\n").columns] == ["1", "2"]


def test_quoted_line_breaks(opened: Opened) -> None:
    assert opened('a,b\n1,"x\ny, z"\n').strings("b").tolist() == ["x\ny, z"]


def test_sql_sees_the_rows(opened: Opened) -> None:
    assert opened("a\n1\n2\n3\n").sql("SELECT sum(a) FROM rows WHERE a > ?", 1) == [(5,)]


def test_fingerprint_is_of_the_bytes_in_their_order(opened: Opened) -> None:
    first, second = opened("a\n1\n2\n"), opened("a\n2\n1\n", "e.csv")
    assert first.fingerprint.startswith("sha256:")
    assert first.fingerprint != second.fingerprint
    assert first.fingerprint == opened("a\n1\n2\n", "f.csv").fingerprint


_NAMES = st.text(string.printable + "é", min_size=1, max_size=8).filter(
    lambda name: name.strip() and not set(name) & set("\r\n\x0b\x0c")
)


@pytest.mark.slow
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(_NAMES, min_size=1, max_size=4, unique_by=str.casefold))
def test_columns_may_be_called_anything(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "d.csv"
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    path.write_text(",".join(quoted) + "\n" + ",".join("1" for _ in names) + "\n")
    table = open_table(Dataset("d", path))
    assert [c.name for c in table.columns] == names
    assert all(table.numbers(name).tolist() == [1.0] for name in names)

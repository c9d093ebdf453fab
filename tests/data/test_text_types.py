"""The type of a column of texts is a property of all its values, whatever a sample looks like."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.data import sources
from seatrial.data.dataset import Dataset
from seatrial.data.sources import delimited, text_types
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from pathlib import Path

NASTY = (
    *("1", "0", "-1", "-0", "+1", "007", "-07", " 12", "20240101", "9223372036854775807"),
    *("9223372036854775808", "99999999999999999999", "0x1F", "1_000", "1,234", "1 000"),
    *("1.5", "0.5", ".5", "1.", "00.5", "1e5", "1e400", "nan", "NaN", "inf", "-Infinity"),
    *("true", "False", "T", "yes", "no", "2024-01-01", "2024-1-1", "2024-02-30", "31/12/2024"),
    *("2024-01-01 10:00:00", "2024-01-01T10:00:00.5Z", "2024-01-01 10:00", "10:00:00"),
    *("2024-01-01 10:00:00+02", "x", "NULL", "-", "é", ""),
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["", ""], "VARCHAR"),
        (["1", "0"], "BIGINT"),
        (["", "1"], "BIGINT"),
        (["1", "2.5"], "DOUBLE"),
        (["1", "99999999999999999999"], "DOUBLE"),
        (["1.5", "inf", "nan"], "DOUBLE"),
        (["1", "007"], "VARCHAR"),
        (["99999999999999999999", "007"], "VARCHAR"),
        (["0.5", "007"], "DOUBLE"),
        (["+4930123", "1"], "VARCHAR"),
        (["12_5", "10_2"], "VARCHAR"),
        (["1,234"], "VARCHAR"),
        (["true", "no"], "BOOLEAN"),
        (["true", "1"], "VARCHAR"),
        (["true", "maybe"], "VARCHAR"),
        (["2024-01-01", "2024-12-31"], "DATE"),
        (["2024-01-01", "2024-02-30"], "VARCHAR"),
        (["2024-01-01", "2024-01-01 10:00:00"], "TIMESTAMP"),
        (["2024-01-01T10:00:00Z"], "TIMESTAMP"),
        (["2024-01-01 10:00:00+02"], "VARCHAR"),
        (["31/12/2024"], "VARCHAR"),
        (["2024-01-01", "x"], "VARCHAR"),
    ],
)
def test_the_narrowest_type_of_all(values: list[str], kind: str) -> None:
    assert _types(values) == kind
    assert _types(values[::-1]) == kind


def _types(values: list[str]) -> str:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (c VARCHAR)")
    connection.executemany("INSERT INTO t VALUES (nullif(?, ''))", [[v] for v in values])
    return text_types.types_of(connection, "t", ["c"])["c"]


@pytest.mark.slow
@settings(max_examples=25)
@given(
    columns=st.lists(
        st.lists(st.sampled_from(NASTY), min_size=8, max_size=8), min_size=1, max_size=5
    )
)
def test_one_scan_of_a_file_gives_what_a_full_look_gives(
    columns: list[list[str]], tmp_path: Path
) -> None:
    names = [f"c{i}" for i in range(len(columns))]
    lines = [
        ",".join(f'"{v}"' if "," in v else v for v in row) for row in zip(*columns, strict=True)
    ]
    lines = [line or '""' for line in lines]
    (tmp_path / "d.csv").write_text("\n".join([",".join(names), *lines, ""]))
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for small, sample, free in ((sources.SMALL, 3, 0), (0, 3, 2**40), (0, 1, 2**40), (0, 3, 0)):
            patch.setattr(delimited, "SMALL", small)
            patch.setattr(text_types, "SAMPLE", sample)
            patch.setattr(delimited, "_free", lambda _folder, free=free: free)
            table = open_table(Dataset("d", tmp_path / "d.csv"))
            rows = table.sql("SELECT * FROM rows")
            found.append((table.columns, repr(rows), table.rows))
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize("late", ["x", "1.5", "007", "2024-01-01", "true", ""])
@pytest.mark.parametrize("early", ["", "1", "1.5", "true", "2024-01-01", "2024-01-01 10:00:00"])
def test_one_value_beyond_the_sample_counts(
    early: str, late: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "SMALL", 0)
    monkeypatch.setattr(text_types, "SAMPLE", 100)
    (tmp_path / "d.csv").write_text("a,b\n" + f"{early},w\n" * 200 + f"{late},w\n")
    table = open_table(Dataset("d", tmp_path / "d.csv"))
    assert table["a"].type == _types([early, late])
    assert table.rows == 201


def test_a_large_file_is_not_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a,b\n" + f"1,{'w' * 80}\n" * 210_000 + "007,w\n")
    assert path.stat().st_size > sources.SMALL
    table = open_table(Dataset("d", path))
    assert table["a"].type == "VARCHAR"
    assert table.rows == 210_001
    assert table.sql("SELECT count(*) FROM duckdb_tables()") == [(0,)]


def test_a_view_keeps_the_order_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "SMALL", 0)
    numbers = list(range(50_000))
    random.Random(1).shuffle(numbers)  # noqa: S311 - an order, not a secret
    (tmp_path / "d.csv").write_text("a\n" + "".join(f"{n}\n" for n in numbers))
    assert open_table(Dataset("d", tmp_path / "d.csv")).numbers("a").tolist() == numbers


def test_text_that_has_no_room_is_read_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "SMALL", 0)
    (tmp_path / "d.csv").write_text("a,b\n1,0.5\n2,x\n")
    views = "SELECT sql LIKE '%read_csv%' FROM duckdb_views() WHERE view_name = 'rows'"
    for free, read_again in ((0, True), (2**40, False)):
        monkeypatch.setattr(delimited, "_free", lambda _folder, free=free: free)
        table = open_table(Dataset("d", tmp_path / "d.csv"))
        assert table.sql("FROM rows") == [(1, "0.5"), (2, "x")]
        assert table.sql(views) == [(read_again,)]

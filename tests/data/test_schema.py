"""What a schema check finds, and how it is told."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from seatrial.data.dataset import Dataset
from seatrial.data.schema.checking import Checked, check
from seatrial.data.schema.demands import Demands
from seatrial.data.table import Table, open_table
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Opened

NOW = datetime(2024, 1, 10, 12, tzinfo=UTC)


def checked(table: Table, now: datetime = NOW, **written: Any) -> Checked:
    """The demands as a file has them."""
    return check(table, msgspec.convert(written, Demands), now)


def whats(found: Checked) -> list[str]:
    return [finding.what for finding in found.broken]


def test_a_missing_column_names_the_nearest(opened: Opened) -> None:
    (finding,) = checked(opened("feature_1,b\n1,2\n"), expected_columns=["feature_l", "b"]).broken
    assert "'feature_l' is missing" in finding.what
    assert finding.hint == "nearest column: feature_1"


def test_a_missing_column_with_none_near_lists_all(opened: Opened) -> None:
    (finding,) = checked(opened("a,b\n1,2\n"), expected_columns=["carrier"]).broken
    assert "a, b" in finding.hint


def test_extra_columns_matter_only_when_strict(opened: Opened) -> None:
    table = opened("a,b\n1,2\n")
    assert checked(table, expected_columns=["a"]).broken == ()
    found = checked(table, expected_columns=["a"], strict=True)
    assert whats(found) == ["column 'b' is not expected"]


def test_whatever_is_named_must_exist_and_is_expected(opened: Opened) -> None:
    table = opened("a,b,c\n1,2,2024-01-10\n")
    named: dict[str, Any] = {
        "columns": {"a": {}},
        "keys": [["b"]],
        "freshness": {"column": "c", "max_age": "1d"},
    }
    assert checked(table, strict=True, **named).broken == ()
    there = opened("x\n1\n")
    assert len(checked(there, **named).broken) == 3


@pytest.mark.parametrize(
    ("cell", "types"),
    [
        ("1", {"integer", "number"}),
        ("1.5", {"number"}),
        ("true", {"boolean"}),
        ("abc", {"string"}),
        ("2024-01-31", {"date", "timestamp"}),
        ("2024-01-31 10:00:00", {"timestamp"}),
    ],
)
def test_which_type_satisfies_which(opened: Opened, cell: str, types: set[str]) -> None:
    table = opened(f"x,y\n{cell},1\n")
    every = ("integer", "number", "boolean", "string", "date", "timestamp", "time")
    satisfied = {kind for kind in every if not checked(table, columns={"x": {"type": kind}}).broken}
    assert satisfied == types


def test_types_of_columnar_files(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    values = {
        "clock": pa.array([1], pa.time64("us")),
        "money": pa.array([1], pa.int64()).cast(pa.decimal128(21, 0)),
        "kind": pa.array(["a"]).dictionary_encode(),
        "nested": [[1, 2]],
        "nothing": pa.nulls(1),
    }
    parquet.write_table(pa.table(values), path)
    table = open_table(Dataset("d", path))
    right = {"clock": "time", "money": "integer", "kind": "string", "nothing": "date"}
    found = checked(table, columns={name: {"type": kind} for name, kind in right.items()})
    assert found.broken == ()
    assert [note.what for note in found.notes] == [
        "`nothing` has no value in any row, so it may be of any type"
    ]
    assert "nested" in whats(checked(table, columns={"nested": {"type": "string"}}))[0]


def test_a_column_without_values_is_of_every_type_and_may_still_not_be_empty(
    opened: Opened,
) -> None:
    table = opened("x,y\n,1\n,2\n")
    found = checked(table, columns={"x": {"type": "integer", "min": 3, "unique": True}})
    assert found.verdict is Verdict.PASS
    assert "no value in any row" in found.notes[0].what
    found = checked(table, columns={"x": {"type": "integer", "nullable": False}})
    assert whats(found) == ["`x`: 2 of 2 rows (100 %) without a value (lines 2, 3)"]


@pytest.mark.parametrize(
    ("cells", "wanted", "hint"),
    [
        (['"1,200"', '"12,345,678"', "5"], "number", "thousands separators, such as '1,200'"),
        (["31/12/2024", "1/1/2025", "13/3/2024"], "date", "2024-12-31"),
        (["12", "n/a", "13"], "number", "'n/a'"),
        (["a", "b", "c"], "boolean", "it holds such as 'a', 'b', 'c'"),
    ],
)
def test_text_that_was_meant_as_something_else(
    opened: Opened, cells: list[str], wanted: str, hint: str
) -> None:
    table = opened("\n".join(["x,y", *(f"{cell},1" for cell in cells), ""]))
    (finding,) = checked(table, columns={"x": {"type": wanted, "min": None}}).broken
    assert finding.what == f"`x` holds text (VARCHAR), expected {wanted}"
    assert hint in finding.hint


def test_bounds_tell_the_type_that_they_need(opened: Opened) -> None:
    table = opened("x,y\na,1\nb,2\n")
    found = checked(table, columns={"x": {"min": 3}, "y": {"allowed": ["a"]}})
    assert whats(found) == [
        "`x` holds text (VARCHAR), what is demanded of it needs number",
        "`y` holds numbers (BIGINT), what is demanded of it needs string",
    ]


def test_a_broken_range_tells_rows_lines_and_values(opened: Opened) -> None:
    values = [10.0] * 100
    for row, value in ((16, 4000), (39, 3999), (70, 2500.5), (90, -61)):
        values[row] = value
    table = opened("\n".join(["dep_delay,y", *(f"{value},1" for value in values), ""]))
    (outside,) = whats(checked(table, columns={"dep_delay": {"min": -60, "max": 2000}}))
    assert outside.startswith("`dep_delay`: 4 of 100 rows (4 %) outside -60 to 2000 (lines")
    assert outside.endswith("(lines 18, 41, 72: 4000, 3999, 2500.5)")
    (above,) = whats(checked(table, columns={"dep_delay": {"max": 2000}}))
    assert above.startswith("`dep_delay`: 3 of 100 rows (3 %) above 2000 (lines")
    (below,) = whats(checked(table, columns={"dep_delay": {"min": -60}}))
    assert below == "`dep_delay`: 1 of 100 rows (1 %) below -60 (line 92: -61)"


def test_bounds_of_times_are_told_as_written(opened: Opened) -> None:
    table = opened("day,at\n2013-01-01,2013-01-01 10:00:00\n2014-01-01,2014-01-01 10:00:00\n")
    found = checked(table, columns={"day": {"max": "2013-12-31"}, "at": {"min": "2013-06-01"}})
    assert whats(found) == [
        "`day`: 1 of 2 rows (50 %) above 2013-12-31 (line 3: 2014-01-01)",
        "`at`: 1 of 2 rows (50 %) below 2013-06-01 (line 2: 2013-01-01 10:00:00)",
    ]


def test_a_value_that_is_not_allowed_names_the_nearest(opened: Opened) -> None:
    (finding,) = checked(
        opened("carrier,y\nAA,1\nUA,1\nUa,1\n"), columns={"carrier": {"allowed": ["AA", "UA"]}}
    ).broken
    assert finding.what == (
        "`carrier`: 1 of 3 rows (33.3 %) with a value that is not allowed (line 4: 'Ua')"
    )
    assert finding.hint.startswith("nearest to 'Ua': 'UA'")


@pytest.mark.parametrize(
    ("cells", "allowed", "broken"),
    [
        (["true", "false"], [True], 1),
        (["1", "2.50", "3"], [1, 2.5], 1),
        (["2024-01-01", "2024-01-02"], ["2024-01-01"], 1),
        (["a", "b"], ["a", "b"], 0),
    ],
)
def test_allowed_values_are_compared_as_what_they_are(
    opened: Opened, cells: list[str], allowed: list[object], broken: int
) -> None:
    table = opened("\n".join(["x,y", *(f"{cell},1" for cell in cells), ""]))
    assert len(checked(table, columns={"x": {"allowed": allowed}}).broken) == broken


def test_unique_columns_and_keys(opened: Opened) -> None:
    table = opened("carrier,flight\nAA,1\nAA,2\nUA,1\nAA,1\n")
    found = checked(table, columns={"flight": {"unique": True}}, keys=[["carrier", "flight"]])
    column, key = whats(found)
    assert column.startswith("`flight`: 3 of 4 rows (75 %) with a value that another row has too")
    assert column.endswith("(lines 2, 4, 5: 1, 1, 1)")
    assert key.startswith("key `carrier, flight`: 2 of 4 rows (50 %) with the same values")
    assert key.endswith("(lines 2, 5: AA, 1; AA, 1)")


def test_the_share_of_missing_values_is_a_measure(opened: Opened) -> None:
    table = opened("x,y\n1,1\n,1\n3,1\n4,1\n")
    found = checked(table, columns={"x": {"max_null_percent": 25}})
    assert found.verdict is Verdict.PASS
    (measure,) = found.measures
    assert (measure.name, measure.value, measure.limit) == ("nulls.x", 25.0, 25.0)
    found = checked(table, columns={"x": {"max_null_percent": 24.9}})
    assert whats(found) == [
        "`x`: 1 of 4 rows (25 %) without a value, where at most 24.9 % may be (line 3)"
    ]
    assert found.measures[0].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("bounds", "verdicts"),
    [
        ({"min": 3, "max": 3}, [Verdict.PASS, Verdict.PASS]),
        ({"min": 4}, [Verdict.FAIL]),
        ({"max": 2}, [Verdict.FAIL]),
    ],
)
def test_how_many_rows(opened: Opened, bounds: dict[str, int], verdicts: list[Verdict]) -> None:
    found = checked(opened("x,y\n1,1\n2,1\n3,1\n"), rows=bounds)
    assert [measure.verdict for measure in found.measures] == verdicts
    assert len(found.broken) == verdicts.count(Verdict.FAIL)
    assert all("3 rows" in what for what in whats(found))


@pytest.mark.parametrize(
    ("newest", "age", "told"),
    [
        ("2024-01-10 10:00:00", "2h", []),
        ("2024-01-10 09:59:59", "2h", ["2 hours ago"]),
        ("2024-01-10 13:00:00", "2h", []),
        ("2024-01-10 13:00:01", "2h", ["in the future"]),
        ("2024-01-08", "3d", []),
        ("2024-01-08", "2d", ["2.5 days ago"]),
        ("2024-01-11", "2d", []),
        ("2024-01-12", "2d", ["in the future"]),
        ("noon", "2d", ["holds VARCHAR"]),
        ("7", "2d", ["holds BIGINT"]),
        ("", "2d", ["no value"]),
    ],
)
def test_the_age_of_the_newest_value(
    opened: Opened, newest: str, age: str, told: list[str]
) -> None:
    old = "2023-01-01" if newest.startswith("2024") else newest
    table = opened(f"at,y\n{newest},1\n{old},2\n,3\n")
    found = checked(table, freshness={"column": "at", "max_age": age})
    assert len(found.broken) == len(told)
    assert all(words in finding.what for words, finding in zip(told, found.broken, strict=True))


def test_the_age_is_a_measure_in_hours(opened: Opened) -> None:
    table = opened("at,y\n2024-01-10 09:00:00,1\n")
    found = checked(table, freshness={"column": "at", "max_age": "30m"})
    (measure,) = found.measures
    assert (measure.name, measure.value, measure.limit) == ("age_hours.at", 3.0, 0.5)
    later = checked(table, NOW + timedelta(hours=1), freshness={"column": "at", "max_age": "1d"})
    assert later.measures[0].value == 4.0


QUOTED = 'x,note\n1,"two\nlines"\n2,plain\n-1,"a ""quote"""\n4,\n-5,"x\n\ny"\n-6,end\n'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.tsv"])
def test_lines_are_exact_where_fields_hold_line_breaks(opened: Opened, name: str, end: str) -> None:
    text = QUOTED.replace("\n", end)
    text = text.replace(",", "\t") if name.endswith("tsv") else text
    content = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    (what,) = whats(checked(opened(content, name), columns={"x": {"min": 0}}))
    assert what.endswith("(lines 5, 7, 10: -1, -5, -6)")


def test_rows_are_told_where_lines_mean_nothing(tmp_path: Path, opened: Opened) -> None:
    path = tmp_path / "d.parquet"
    parquet.write_table(pa.table({"x": [1, -1]}), path)
    (what,) = whats(checked(open_table(Dataset("d", path)), columns={"x": {"min": 0}}))
    assert what.endswith("(row 2: -1)")
    (what,) = whats(checked(opened('{"x": 1}\n{"x": -1}\n', "d.jsonl"), columns={"x": {"min": 0}}))
    assert what.endswith("(row 2: -1)")


def test_many_findings_are_counted(opened: Opened) -> None:
    names = [f"c{i}" for i in range(150)]
    found = checked(opened("a,b\n1,2\n"), expected_columns=names)
    assert len(found.broken) == 150
    assert len(found.findings) == 101
    assert found.findings[-1].what == "and 50 more"


def test_long_values_are_cut(opened: Opened) -> None:
    (finding,) = checked(opened(f"x,y\n{'a' * 500},1\n"), columns={"x": {"allowed": ["b"]}}).broken
    assert len(finding.what) < 200


@pytest.mark.slow
def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = [f"column {i}" for i in range(10_000)]
    path = tmp_path / "d.parquet"
    parquet.write_table(pa.table({name: [i % 7] * 3 for i, name in enumerate(names)}), path)
    table = open_table(Dataset("d", path))
    found = checked(
        table, columns={name: {"type": "integer", "min": 0, "max": 5} for name in names}
    )
    assert len(found.broken) == sum(i % 7 == 6 for i in range(10_000))
    assert len(found.findings) == 101

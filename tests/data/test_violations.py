"""What breaks a rule: counted exactly, with the first three rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from seatrial.data.dataset import Dataset
from seatrial.data.schema.rules import Example, Rule
from seatrial.data.schema.violations import SHOWN, found
from seatrial.data.table import Table, open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .conftest import Opened

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def columns(tmp_path: Path) -> Callable[..., Table]:
    """A Parquet file of the given columns, opened."""

    def make(row_group_size: int | None = None, **values: Any) -> Table:
        path = tmp_path / "d.parquet"
        parquet.write_table(pa.table(values), path, row_group_size=row_group_size)
        return open_table(Dataset("d", path))

    return make


def counts(table: Table, *rules: Rule) -> list[int]:
    broken = {violation.rule: violation.rows for violation in table.violations(rules)}
    return [broken.get(rule, 0) for rule in rules]


def rows(table: Table, rule: Rule) -> list[int | None]:
    return [example.row for v in table.violations([rule]) for example in v.examples]


@pytest.mark.parametrize(
    ("values", "low", "high", "broken"),
    [
        ([1.0, 2.0, 3.0], 1.0, 3.0, []),
        ([0.999, 2.0, 3.001], 1.0, 3.0, [1, 3]),
        ([None, NAN, 5.0], 0.0, 4.0, [3]),
        ([INF, -INF, 0.0], 0.0, None, [1, 2]),
        ([INF, -INF, 0.0], None, 0.0, [1, 2]),
        ([-0.0, 0.0], 0.0, 0.0, []),
        ([1e308, -1e308], None, 1e308, []),
    ],
)
def test_ranges_of_floats(
    columns: Callable[..., Table],
    values: list[float],
    low: float | None,
    high: float | None,
    broken: list[int],
) -> None:
    rule = Rule(kind="range", columns=("x",), low=low, high=high)
    table = columns(x=pa.array(values, pa.float64(), from_pandas=False))
    assert rows(table, rule) == broken
    assert counts(table, rule) == [len(broken)]


@pytest.mark.parametrize(
    ("kind", "broken"),
    [(pa.int8(), [4]), (pa.uint64(), [4]), (pa.float32(), [4]), (pa.decimal128(21, 2), [4])],
)
def test_ranges_of_other_numbers(
    columns: Callable[..., Table], kind: pa.DataType, broken: list[int]
) -> None:
    table = columns(x=pa.array([1, 2, None, 9], pa.int64()).cast(kind))
    assert rows(table, Rule(kind="range", columns=("x",), low=1.0, high=5.0)) == broken


def test_ranges_of_times_are_seconds_since_1970_in_utc(columns: Callable[..., Table]) -> None:
    day = dt.datetime(1970, 1, 2)  # noqa: DTZ001 - a time without a zone
    zoned = dt.datetime(1970, 1, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    table = columns(
        plain=[day, day + dt.timedelta(microseconds=1), None],
        zoned=[zoned, zoned + dt.timedelta(microseconds=1), None],
        date=[day.date(), day.date() + dt.timedelta(days=1), None],
        clock=pa.array([86_399_000_000, 86_399_500_000, None], pa.time64("us")),
    )
    for name in ("plain", "zoned", "date"):
        rule = Rule(kind="range", columns=(name,), low=86_400.0, high=86_400.0)
        assert rows(table, rule) == [2], name
    assert rows(table, Rule(kind="range", columns=("clock",), high=86_399.0)) == [2]


def test_an_infinite_time_is_outside_every_range() -> None:
    with duckdb.connect() as connection:
        times = "(VALUES (TIMESTAMP 'infinity'), (TIMESTAMP '-infinity'), (NULL), ('2024-01-01'))"
        connection.execute(f"CREATE TABLE rows AS SELECT x FROM {times} t(x)")  # noqa: S608
        rules = [
            Rule(kind="range", columns=("x",), low=0.0),
            Rule(kind="range", columns=("x",), high=9e9),
        ]
        broken = found(lambda text, *given: connection.execute(text, list(given)).fetchall(), rules)
    assert [[example.row for example in each.examples] for each in broken] == [[1, 2], [1, 2]]


def test_missing_is_null_and_nan_and_breaks_nothing_else(columns: Callable[..., Table]) -> None:
    table = columns(x=pa.array([None, NAN, 1.0, None], pa.float64(), from_pandas=False))
    rules = [
        Rule(kind="not_null", columns=("x",)),
        Rule(kind="range", columns=("x",), low=0.0, high=1.0),
        Rule(kind="allowed", columns=("x",), numbers=(1.0,)),
        Rule(kind="unique", columns=("x",)),
    ]
    assert counts(table, *rules) == [3, 0, 0, 0]
    assert [e.value for e in table.violations(rules)[0].examples] == ["", "nan", ""]


def test_allowed_values_of_every_kind(columns: Callable[..., Table]) -> None:
    table = columns(
        text=["AA", "aa", "AA ", None],
        whole=[1, 2, 3, None],
        real=[1.0, 0.1, 2.5, None],
        truth=[True, False, True, None],
        date=[dt.date(1970, 1, 1), dt.date(1970, 1, 2), None, None],
    )
    assert rows(table, Rule(kind="allowed", columns=("text",), values=("AA",))) == [2, 3]
    assert rows(table, Rule(kind="allowed", columns=("whole",), numbers=(1.0, 3.0))) == [2]
    assert rows(table, Rule(kind="allowed", columns=("real",), numbers=(1.0, 0.1))) == [3]
    assert rows(table, Rule(kind="allowed", columns=("truth",), values=("true",))) == [2]
    assert rows(table, Rule(kind="allowed", columns=("date",), numbers=(86_400.0,))) == [1]
    assert rows(table, Rule(kind="allowed", columns=("text",))) == [1, 2, 3]


@pytest.mark.parametrize("many", [3, 400])
def test_many_allowed_values_count_like_few(columns: Callable[..., Table], many: int) -> None:
    values = [f"it's {i}" for i in range(many)]
    table = columns(x=[*values, "other", None, values[0]], n=[*range(many), -1, None, 0])
    assert rows(table, Rule(kind="allowed", columns=("x",), values=tuple(values))) == [many + 1]
    numbers = tuple(map(float, range(many)))
    assert rows(table, Rule(kind="allowed", columns=("n",), numbers=numbers)) == [many + 1]


def test_every_row_that_has_an_equal_one_counts(columns: Callable[..., Table]) -> None:
    table = columns(
        a=["x", "y", "x", "z", "y", "x", None, None],
        b=[1, 1, 1, 2, 2, 1, 3, 3],
    )
    alone, together = (Rule(kind="unique", columns=names) for names in (("a",), ("a", "b")))
    assert counts(table, alone, together) == [5, 3]
    (broken,) = table.violations([together])
    assert broken.examples == (Example(1, "x, 1"), Example(3, "x, 1"), Example(6, "x, 1"))
    assert rows(table, alone) == [1, 2, 3]


def test_zero_and_minus_zero_are_equal(columns: Callable[..., Table]) -> None:
    assert counts(columns(x=[0.0, -0.0, 1.0]), Rule(kind="unique", columns=("x",))) == [2]


def test_what_breaks_nothing_is_not_told(columns: Callable[..., Table]) -> None:
    table = columns(x=[1, 2, 3])
    assert table.violations([]) == ()
    assert table.violations([Rule(kind="unique", columns=("x",))]) == ()


def test_violations_come_in_the_order_of_the_rules(columns: Callable[..., Table]) -> None:
    table = columns(x=[1, 1, None])
    rules = [
        Rule(kind="unique", columns=("x",)),
        Rule(kind="range", columns=("x",), high=0.0),
        Rule(kind="not_null", columns=("x",)),
    ]
    assert [violation.rule for violation in table.violations(rules)] == rules


def test_the_first_rows_are_told_whatever_the_row_groups(columns: Callable[..., Table]) -> None:
    values = [0] * 30_000
    broken = [29_001, 7, 15_000, 29_999]
    for row in broken:
        values[row - 1] = 1
    table = columns(row_group_size=1_000, x=values)
    assert rows(table, Rule(kind="range", columns=("x",), high=0.0)) == sorted(broken)[:3]
    assert rows(table, Rule(kind="allowed", columns=("x",), numbers=(0.0,))) == sorted(broken)[:3]


@pytest.mark.parametrize("name", ['a"b', "place", "value", "broken", "k0", "rows", "n", "Ä ö"])
def test_any_name_of_a_column(columns: Callable[..., Table], name: str) -> None:
    table = columns(**{name: [1, 1, 5], "other": ["a", "b", "c"]})
    rules = [
        Rule(kind="range", columns=(name,), high=4.0),
        Rule(kind="unique", columns=(name,)),
        Rule(kind="unique", columns=(name, "other")),
    ]
    assert counts(table, *rules) == [1, 2, 0]
    assert rows(table, rules[0]) == [3]


def test_more_rules_than_a_query_takes(opened: Opened) -> None:
    rules = [Rule(kind="range", columns=("x",), high=high / 2) for high in range(2400)]
    broken = opened("x,y\n400,1\n7,1\n").violations(rules)
    assert [v.rule for v in broken] == rules[:800]
    assert [v.rows for v in broken] == [2] * 14 + [1] * 786
    assert [bool(v.examples) for v in broken] == [True] * SHOWN + [False] * (800 - SHOWN)


CELLS = st.one_of(st.none(), st.sampled_from([NAN, INF, -INF, -0.0]), st.floats(width=32))


@pytest.mark.slow
@settings(max_examples=60)
@given(
    values=st.lists(CELLS, min_size=1, max_size=30),
    low=st.none() | st.floats(-10, 0),
    high=st.none() | st.floats(0, 10),
)
def test_every_rule_counts_as_python_does(
    columns: Callable[..., Table],
    values: Sequence[float | None],
    low: float | None,
    high: float | None,
) -> None:
    table = columns(x=pa.array(values, pa.float64(), from_pandas=False))
    present = [v for v in values if v is not None and not math.isnan(v)]
    outside = [
        v
        for v in present
        if math.isinf(v) or (low is not None and v < low) or (high is not None and v > high)
    ]
    bounded = low is not None or high is not None
    rules = [
        Rule(kind="not_null", columns=("x",)),
        Rule(kind="unique", columns=("x",)),
        Rule(kind="allowed", columns=("x",), numbers=(0.0, 1.5)),
        *([Rule(kind="range", columns=("x",), low=low, high=high)] if bounded else []),
    ]
    expected = [
        len(values) - len(present),
        sum(present.count(v) > 1 for v in present),
        sum(v not in {0.0, 1.5} for v in present),
        *([len(outside)] if bounded else []),
    ]
    assert counts(table, *rules) == expected


@pytest.mark.slow
@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)),
        min_size=1,
        max_size=12,
    )
)
def test_texts_are_compared_letter_by_letter(opened: Opened, cells: list[tuple[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["x", "y"], *([f"v{cell}", "1"] for (cell,) in cells)])
    allowed = f"v{cells[0][0]}"
    rule = Rule(kind="allowed", columns=("x",), values=(allowed,))
    broken = [i for i, (cell,) in enumerate(cells, start=1) if f"v{cell}" != allowed]
    assert rows(opened(text.getvalue()), rule) == broken[:3]

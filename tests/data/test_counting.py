"""Every row is counted once, in the bin where it belongs, whatever the column holds."""

from __future__ import annotations

import io
import itertools
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.data.column import Column
from seatrial.data.profiles import counting, outlining
from seatrial.data.shape import BINS, TOP, ColumnProfile, Shape, Within
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.table import Table

    from .conftest import Opened


def _parquet(columns: dict[str, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **options)
    return file.getvalue()


def _counted(opened: Opened, columns: dict[str, Any]) -> dict[str, ColumnProfile]:
    table = opened(_parquet(columns), "d.parquet")
    found = table.tally(table.outline(table.columns))
    assert [column.name for column in found] == [column.name for column in table.columns]
    for column in found:
        assert column.present + column.missing == table.rows, column
    return {column.name: column for column in found}


def _bins(values: Sequence[float], edges: Sequence[float]) -> tuple[int, ...]:
    """By the definition: above the edge before, up to and with this one."""
    ends = [-math.inf, *edges, math.inf]
    return tuple(
        sum((low < value or low == -math.inf) and value <= high for value in values)
        for low, high in itertools.pairwise(ends)
    )


NUMBERS: dict[str, tuple[Any, list[float | None]]] = {
    "tiny": (pa.array([1, None, -128, 127], pa.int8()), [1, None, -128, 127]),
    "unsigned": (pa.array([0, 2**64 - 1, None, 5], pa.uint64()), [0, 2.0**64, None, 5]),
    "exact": (
        pa.array([2**53, 2**53 + 1, 2**53 + 2, None], pa.int64()),
        [2.0**53, float(2**53 + 1), float(2**53 + 2), None],
    ),
    "single": (
        pa.array([0.1, None, 0.3, -1e30], pa.float32()),
        [float(np.float32(0.1)), None, float(np.float32(0.3)), float(np.float32(-1e30))],
    ),
    "decimal": (
        pa.array([Decimal("0.1"), Decimal("-12.25"), None, Decimal(3)], pa.decimal128(9, 2)),
        [0.1, -12.25, None, 3.0],
    ),
    "zeros": (pa.array([0.0, -0.0, None, 0.0]), [0.0, 0.0, None, 0.0]),
    "huge": (pa.array([1e308, -1e308, 1.0, None]), [1e308, -1e308, 1.0, None]),
    "small": (pa.array([5e-324, -5e-324, 0.0, None]), [5e-324, -5e-324, 0.0, None]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_every_type(opened: Opened, name: str) -> None:
    stored, values = NUMBERS[name]
    column = _counted(opened, {name: stored})[name]
    present = [value for value in values if value is not None]
    assert (column.kind, column.nulls, column.nans, column.infinities) == ("number", 1, 0, 0)
    assert column.counts == _bins(present, column.edges)
    assert column.edges == (math.nextafter(min(present), -math.inf), *sorted({*present}))
    assert (column.minimum, column.maximum) == (min(present), max(present))
    inner = [value for value in present if abs(value) < 1e150]
    assert column.n == len(inner)
    assert column.mean == pytest.approx(np.mean(inner))
    assert column.deviation == pytest.approx(np.std(inner))


def test_no_zero_has_a_sign(opened: Opened) -> None:
    column = _counted(opened, {"z": [-0.0, 0.0, -0.0]})["z"]
    stored = (column.minimum, column.maximum, column.mean, column.edges[-1])
    assert [math.copysign(1, value or 0.0) for value in stored] == [1, 1, 1, 1]
    assert column.counts == (0, 3, 0)


def test_nan_and_infinities(opened: Opened) -> None:
    values = [math.nan, math.inf, -math.inf, None, 2.0, 4.0, math.nan]
    column = _counted(opened, {"x": pa.array(values, from_pandas=False)})["x"]
    assert (column.nulls, column.nans, column.infinities) == (1, 2, 2)
    assert column.edges == (math.nextafter(2.0, 0), 2.0, 4.0)
    assert column.counts == (1, 1, 1, 1)
    assert (column.n, column.minimum, column.maximum, column.mean) == (2, 2.0, 4.0, 3.0)


@pytest.mark.parametrize(
    ("values", "counts"),
    [([None, None], (0,)), ([math.nan, None], (0,)), ([math.inf, -math.inf], (2,))],
)
def test_without_a_finite_number(
    opened: Opened, values: list[float | None], counts: tuple[int, ...]
) -> None:
    column = _counted(opened, {"x": pa.array(values, pa.float64(), from_pandas=False)})["x"]
    assert (column.edges, column.counts, column.n) == ((), counts, 0)
    assert column.minimum is column.maximum is column.mean is column.deviation is None


def test_a_mean_far_from_zero_is_as_precise_as_any(opened: Opened) -> None:
    values = 1e9 + np.arange(100_000) % 2
    column = _counted(opened, {"x": values})["x"]
    assert column.mean == 1e9 + 0.5
    assert column.deviation == 0.5


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES: dict[str, tuple[Any, list[float]]] = {
    "DATE": (
        pa.array([date(1969, 12, 31), None, date(2024, 2, 29), date(9999, 12, 31)], pa.date32()),
        [-86400.0, 1709164800.0, 253402214400.0],
    ),
    "TIMESTAMP": (
        pa.array([-1, None, 1_000_001, 1_700_000_000_123_456], pa.timestamp("us")),
        [-1e-6, 1.000001, 1_700_000_000_123_456 / 1e6],
    ),
    "TIMESTAMP WITH TIME ZONE": (
        pa.array([0, None, 1, 3_600_000_000], pa.timestamp("us", "Europe/Berlin")),
        [0.0, 1e-6, 3600.0],
    ),
    "TIME": (
        pa.array([time(0), None, time(23, 59, 59, 999999), time(12)], pa.time64("us")),
        [0.0, 86399.999999, 43200.0],
    ),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_are_seconds(opened: Opened, kind: str) -> None:
    stored, seconds = TIMES[kind]
    column = _counted(opened, {"t": stored})["t"]
    assert (column.kind, column.type, column.nulls) == ("time", kind, 1)
    below = math.nextafter(min(seconds), -math.inf)
    assert column.edges == (below, *sorted(seconds))
    assert column.counts == (0, 1, 1, 1, 0)
    assert (column.minimum, column.maximum) == (min(seconds), max(seconds))


@pytest.mark.parametrize("unit", ["date32", "timestamp"])
def test_times_without_an_end(opened: Opened, unit: str) -> None:
    """PostgreSQL has such times, and duckdb writes them as the ends of the range."""
    end, whole, kind = (
        (2**31 - 1, pa.int32(), pa.date32())
        if unit == "date32"
        else (2**63 - 1, pa.int64(), pa.timestamp("us"))
    )
    times = pa.array([end, -end, 10, -10], whole).cast(kind)
    column = _counted(opened, {"t": times})["t"]
    assert (column.counts, column.infinities, column.n) == ((1, 1, 1, 1), 2, 2)
    assert column.minimum == -(column.maximum or 0.0)


def test_a_timestamp_is_counted_on_the_edges_of_dates(opened: Opened) -> None:
    at = [datetime(2024, 1, 1), datetime(2024, 1, 1, 12), datetime(2024, 1, 2)]  # noqa: DTZ001
    table = opened(_parquet({"t": pa.array(at, pa.timestamp("us"))}), "d.parquet")
    midnight = (datetime(2024, 1, 1, tzinfo=UTC) - EPOCH) / timedelta(seconds=1)
    column = table.tally([Shape(Column("t", "time", "DATE"), (midnight, midnight + 86400))])[0]
    assert column.counts == (1, 2, 0)


@pytest.mark.parametrize("kind", ["number", "time"])
def test_a_column_that_came_without_a_value(opened: Opened, kind: Any) -> None:
    """A CSV knows no type where no value is."""
    table = opened("a,b\n,1\n,2\n")
    column = table.tally([Shape(Column("a", kind, "DATE"), (1.0, 2.0))])[0]
    assert (column.nulls, column.counts) == (2, (0, 0, 0))


def test_texts_and_booleans(opened: Opened) -> None:
    texts = ["é", "it's", None, '"', "", "é", "a\x00b", "null", "日本", "a,b\n"]
    found = _counted(
        opened,
        {
            "t": texts,
            "d": pa.array(texts).dictionary_encode(),
            "b": [True, None, True, False, True, True, True, True, True, True],
            "always": [True] * 10,
            "nothing": pa.nulls(10),
            "no text": pa.array([None] * 10, pa.string()),
        },
    )
    expected = ("é", "", '"', "a\x00b", "a,b\n", "it's", "null", "日本")
    for name in ("t", "d"):
        assert (found[name].values, found[name].nulls, found[name].other) == (expected, 1, 0)
        assert found[name].counts == (2, 1, 1, 1, 1, 1, 1, 1)
    assert (found["b"].values, found["b"].counts) == (("false", "true"), (1, 8))
    assert (found["b"].nulls, found["b"].kind) == (1, "boolean")
    assert found["always"].counts == (0, 10)
    for name in ("nothing", "no text"):
        assert (found[name].kind, found[name].nulls, found[name].counts) == ("string", 10, ())


def test_nested_and_binary_values_are_only_there_or_not(opened: Opened) -> None:
    found = _counted(
        opened,
        {
            "list": [[1], None, []],
            "struct": [{"a": 1}, {"a": None}, None],
            "binary": [b"\x00", None, b""],
        },
    )
    for column in found.values():
        assert (column.kind, column.nulls, column.other, column.counts) == ("other", 1, 2, ())


def test_texts_on_values_of_another_dataset(opened: Opened) -> None:
    table = opened("s,b\nx,true\ny,false\nz,true\n,\n")
    texts = Shape(Column("s", "string", "VARCHAR"), values=("z", "gone"))
    booleans = Shape(Column("b", "boolean", "BOOLEAN"), values=("true",))
    s, b = table.tally([texts, booleans])
    assert (s.counts, s.other, s.nulls) == ((1, 0), 2, 1)
    assert (b.counts, b.other, b.nulls) == ((2,), 1, 1)
    nothing_listed = table.tally([Shape(Column("s", "string", "VARCHAR"))])[0]
    assert (nothing_listed.counts, nothing_listed.other, nothing_listed.nulls) == ((), 3, 1)


NAMES = ["rows", "value", "n", "c0", "c1", "v0", "part", "select", 'a"b', "it's", "é ü", "a.b", "?"]


def test_names_that_collide_with_our_own(opened: Opened) -> None:
    numbers = {name: [i, i, i + 1] for i, name in enumerate(NAMES)}
    texts = {name: [f"t{i}", f"t{i}", "x"] for i, name in enumerate(NAMES)}
    found = _counted(opened, numbers)
    for i, name in enumerate(NAMES):
        assert (found[name].minimum, found[name].maximum) == (i, i + 1), name
    found = _counted(opened, texts)
    for i, name in enumerate(NAMES):
        assert found[name].values == (f"t{i}", "x"), name
    table = opened(_parquet(texts), "d.parquet")
    shapes = table.outline(table.columns)
    for i, name in enumerate(NAMES):
        assert table.unlisted(name, ["x"]) == ((f"t{i}", 2),), name
        within = table.tally(shapes, Within(name, "x"))
        assert [sum(column.counts) for column in within] == [1] * len(NAMES)


def test_within(opened: Opened) -> None:
    table = opened("x,o\n1,JFK\n2,LGA\n3,\n4,JFK\n5,it's\n")
    shapes = table.outline(table.columns)

    def xs(value: str | None) -> tuple[int, ...]:
        return table.tally(shapes, Within("o", value))[0].counts

    assert xs("JFK") == (0, 1, 0, 0, 1, 0, 0)
    assert xs(None) == (0, 0, 0, 1, 0, 0, 0)
    assert xs("it's") == (0, 0, 0, 0, 0, 1, 0)
    assert xs("gone") == (0,) * 7
    assert table.tally(shapes, Within("x", "3"))[1].nulls == 1


def test_many_numbers_get_bins_of_about_equal_count(opened: Opened) -> None:
    values = np.random.default_rng(1).lognormal(size=10_000)
    column = _counted(opened, {"x": values})["x"]
    assert len(column.edges) == BINS - 1
    assert {*column.edges} < {*values.tolist()}
    assert max(abs(count - 500) for count in column.counts) <= 1


def test_the_edges_of_many_rows_come_from_rows_all_over(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlining, "SAMPLE", 1000)
    values = np.arange(100_500.0)  # sorted: the first rows alone would say nothing
    column = _counted(opened, {"x": values})["x"]
    assert sum(column.counts) == 100_500
    assert max(abs(count - 5025) for count in column.counts) < 150


def test_the_most_frequent_texts_of_all_rows(opened: Opened) -> None:
    rng = np.random.default_rng(2)
    found = {f"s{i}": [f"v{v}" for v in rng.zipf(1.3, 20_000)] for i in range(40)}
    table = opened(_parquet(found), "d.parquet")
    for column in table.tally(table.outline(table.columns)):
        values, counts = np.unique(found[column.name], return_counts=True)
        ranked = sorted(zip(-counts, values.tolist(), strict=True))[:TOP]
        assert column.values == tuple(value for _, value in ranked)
        assert column.counts == tuple(-int(count) for count, _ in ranked)
        assert column.other == 20_000 - sum(column.counts)


@pytest.mark.slow
def test_a_million_categories(opened: Opened) -> None:
    count = 1_000_000
    names = pa.array([f"customer-{i:07d}" for i in range(count)])
    table = opened(
        _parquet({"who": pa.concat_arrays([names, names[count // 2 :][:7]])}), "d.parquet"
    )
    table.sql("SET memory_limit = '150MB'")
    shape = table.outline(table.columns)
    column = table.tally(shape)[0]
    assert column.counts == (2,) * 7 + (1,) * (TOP - 7)
    assert column.values[:2] == ("customer-0500000", "customer-0500001")
    assert column.values[7] == "customer-0000000"
    assert column.other == count - TOP


def test_more_columns_than_one_query_asks_for(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "COLUMNS", 10)
    monkeypatch.setattr(outlining, "COLUMNS", 7)
    columns = {f"c{i}": ([f"t{i}", None] if i % 3 else [float(i), None]) for i in range(43)}
    found = _counted(opened, columns)
    for name, (value, _) in columns.items():
        assert (sum(found[name].counts), found[name].nulls) == (1, 1), name
        assert value in {*found[name].values, *found[name].edges}, name


def _moments_with(table: Table, threads: int) -> list[tuple[float | None, ...]]:
    table.sql(f"SET threads = {threads}")
    shapes = table.outline(table.columns)
    return [(c.mean, c.deviation, c.minimum, *c.edges) for c in table.tally(shapes)]


def test_the_same_rows_give_the_same_numbers_on_any_number_of_threads(opened: Opened) -> None:
    rng = np.random.default_rng(3)
    columns = {f"x{i}": rng.normal(size=50_000) * 10.0**i for i in range(4)}
    table = opened(_parquet(columns, row_group_size=3000), "d.parquet")
    first = _moments_with(table, 1)
    assert _moments_with(table, 4) == first
    other = opened(_parquet(columns, row_group_size=20_000), "e.parquet")
    assert _moments_with(other, 2) == first


def test_a_file_that_is_damaged_beyond_its_first_rows(opened: Opened) -> None:
    values = np.random.default_rng(4).normal(size=60_000)
    content = _parquet({"x": values}, row_group_size=20_000, use_dictionary=False)
    table = opened(content, "d.parquet")
    place = table.dataset.path
    assert place is not None
    place.write_bytes(content[: len(content) // 2])
    with pytest.raises(FormError) as caught:
        table.tally([Shape(Column("x", "number", "DOUBLE"), (0.0,))])
    assert len(str(caught.value).splitlines()) <= 6


NUMBER = st.one_of(
    st.none(),
    st.floats(width=64),
    st.integers(-3, 3).map(float),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, -0.0]),
)


@given(st.lists(NUMBER, min_size=1, max_size=60), st.lists(st.floats(-4, 4), max_size=6))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_numbers_on_any_edges(
    opened: Opened, values: list[float | None], edges: list[float]
) -> None:
    content = _parquet({"x": pa.array(values, pa.float64(), from_pandas=False)})
    edges = sorted({edge + 0.0 for edge in edges})
    table = opened(content, "d.parquet")
    column = table.tally([Shape(Column("x", "number", "DOUBLE"), tuple(edges))])[0]
    present = [value for value in values if value is not None and not math.isnan(value)]
    finite = [value for value in present if math.isfinite(value)]
    assert column.counts == _bins(present, edges)
    assert column.nulls == values.count(None)
    assert column.nans == len(values) - len(present) - column.nulls
    assert column.infinities == len(present) - len(finite)
    assert column.minimum == min(finite, default=None)
    assert column.maximum == max(finite, default=None)
    if column.mean is not None:
        assert column.minimum is not None
        assert column.maximum is not None
        assert column.minimum <= column.mean <= column.maximum

"""The profiles of parts add up to that of the whole."""

from __future__ import annotations

import io
import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.data.profiles import profile as profiles
from seatrial.data.profiles.adding import add, count_alike
from seatrial.data.profiles.moments import Moments, combined, moments
from seatrial.errors import FormError

if TYPE_CHECKING:
    from seatrial.data.profiles.profile import Profile
    from seatrial.data.shape import ColumnProfile

    from .conftest import Opened

NUMBER = st.one_of(
    st.none(), st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e200])
)
ROW = st.tuples(NUMBER, st.sampled_from(["a", "b", None, "é"]), st.sampled_from([True, None]))


def _parquet(rows: list[tuple[float | None, str | None, bool | None]]) -> bytes:
    x, s, b = zip(*rows, strict=True)
    columns = {
        "x": pa.array(x, pa.float64(), from_pandas=False),
        "s": pa.array(s, pa.string()),
        "b": pa.array(b, pa.bool_()),
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def _exact(column: ColumnProfile) -> ColumnProfile:
    """What must be equal to the last bit."""
    return replace(column, mean=None, deviation=None)


@given(st.lists(ROW, min_size=2, max_size=40), st.lists(st.integers(1, 39), max_size=3))
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_parts_make_the_whole(
    opened: Opened,
    rows: list[tuple[float | None, str | None, bool | None]],
    cuts: list[int],
) -> None:
    whole = profiles.make(opened(_parquet(rows), "whole.parquet"), by=["s"])
    ends = sorted({0, *(cut for cut in cuts if cut < len(rows)), len(rows)})
    parts = [
        count_alike(opened(_parquet(rows[start:end]), f"part{start}.parquet"), whole)
        for start, end in itertools.pairwise(ends)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    assert total.rows == whole.rows
    assert [_exact(c) for c in total.columns] == [_exact(c) for c in whole.columns]
    for ours, theirs in zip(total.slices, whole.slices, strict=True):
        assert (ours.column, ours.value, ours.rows) == (theirs.column, theirs.value, theirs.rows)
        assert [_exact(c) for c in ours.columns] == [_exact(c) for c in theirs.columns]
    _same_moments(total, whole)
    assert profiles.decode(profiles.encode(total)) == total


def _same_moments(total: Profile, whole: Profile) -> None:
    for ours, theirs in zip(total.columns, whole.columns, strict=True):
        for one, other in ((ours.mean, theirs.mean), (ours.deviation, theirs.deviation)):
            assert (one is None) == (other is None)
            assert one is None or one == pytest.approx(other, rel=1e-9, abs=1e-5)


def test_moments_far_from_zero() -> None:
    values = 1e9 + np.arange(1000, dtype=np.float64) % 2
    both = combined(moments(values[:10]), moments(values[10:]))
    assert (both.n, both.mean) == (1000, 1e9 + 0.5)
    assert both.deviation == pytest.approx(0.5)


def test_moments_of_nothing_and_of_the_huge() -> None:
    nothing, huge = Moments(), Moments(0, 1e200, 1e300)
    one = Moments(1, 2.0, 2.0, 2.0, 0.0)
    assert combined(nothing, nothing) == nothing
    assert combined(nothing, one) == combined(one, nothing) == one
    assert combined(huge, one) == Moments(1, 2.0, 1e300, 2.0, 0.0)


def test_a_constant_that_is_none_any_more(opened: Opened) -> None:
    first = profiles.make(opened("a,b\n1,x\n1,x\n", "one.csv"))
    assert [column.note for column in first.columns] == ["always 1", "always 'x'"]
    both = add(first, count_alike(opened("a,b\n2,zz\n", "two.csv"), first))
    assert [column.note for column in both.columns] == ["", ""]
    assert (both.columns[1].counts, both.columns[1].other) == ((2,), 1)
    assert both.columns[0].counts == (0, 2, 1)


def test_a_part_without_a_value_in_some_column(opened: Opened) -> None:
    first = profiles.make(opened("a,b\n1,x\n2,z\n", "one.csv"))
    both = add(first, count_alike(opened("a,b\n,x\n", "two.csv"), first))
    assert (both.columns[0].nulls, both.columns[0].counts) == (1, first.columns[0].counts)


def test_only_what_was_counted_alike_is_added(opened: Opened) -> None:
    one = profiles.make(opened("a,b\n1,x\n2,z\n", "one.csv"), by=["b"])
    table = opened("a,b\n3,x\n4,z\n", "two.csv")
    with pytest.raises(FormError, match="column 'a' has other edges or values"):
        add(one, profiles.make(table, by=["b"]))
    with pytest.raises(FormError, match="they have other slices"):
        add(one, replace(count_alike(table, one), slices=()))
    with pytest.raises(FormError, match="they are of other columns"):
        add(one, replace(one, columns=one.columns[:1]))
    with pytest.raises(FormError, match=r"it lacks b; it has more columns: c") as caught:
        count_alike(opened("a,c\n3,x\n", "three.csv"), one)
    assert len(str(caught.value).splitlines()) <= 6
    with pytest.raises(FormError, match="it holds values of another kind in a"):
        count_alike(opened("a,b\nz,x\n", "four.csv"), one)


def test_the_fingerprint_tells_the_order(opened: Opened) -> None:
    one = profiles.make(opened("a\n1\n", "one.csv"))
    two = count_alike(opened("a\n2\n", "two.csv"), one)
    prints = {add(one, two).fingerprint, add(two, one).fingerprint, one.fingerprint}
    assert len(prints) == 3
    assert all(text.startswith("sha256:") for text in prints)

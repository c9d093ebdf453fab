"""Columns as a model reads them: training and traffic fall into the same bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.data.profiles.as_read import profiled, tallied
from seatrial.data.profiles.profile import decode, encode


def as_logged(features: dict[str, Any]) -> pa.Table:
    """As the traffic log holds columns: float32, and strings."""
    return pa.table(
        {
            name: pa.array(values, pa.string()) if values.dtype == object else pa.array(values)
            for name, values in features.items()
        }
    )


def counted_by_numpy(values: np.ndarray, edges: tuple[float, ...]) -> list[int]:
    present = values[~np.isnan(values)].astype(np.float64)
    places = np.searchsorted(np.array(edges), present, side="left")
    return [int(n) for n in np.bincount(places, minlength=len(edges) + 1)]


def test_values_on_edges_fall_alike_though_float32_moves_them() -> None:
    """0.1 as float32 is more than 0.1: an edge of float64 would part it from itself."""
    told = np.array([0.1, 0.2, 0.3, 0.7] * 25)
    profile = profiled({"a": told.astype(np.float32)})
    (column,) = profile.columns
    (again,) = tallied(as_logged({"a": told.astype(np.float32)}), [column.shape])
    assert [n for n in column.counts if n] == [25, 25, 25, 25]
    assert again.counts == column.counts


@settings(max_examples=25)
@given(
    st.lists(
        st.floats(width=32, allow_infinity=False) | st.sampled_from([0.1, 0.3, 1e30, -0.0]),
        min_size=1,
        max_size=300,
    )
)
def test_the_training_rows_as_traffic_count_as_in_training(values: list[float]) -> None:
    seen = np.array(values, np.float32)
    (column,) = profiled({"a": seen}).columns
    (again,) = tallied(as_logged({"a": seen}), [column.shape])
    assert again.counts == column.counts
    assert list(column.counts) == counted_by_numpy(seen, column.edges)
    assert column.missing == again.missing == int(np.isnan(seen).sum())


def test_what_is_missing_and_what_was_never_heard_of() -> None:
    training = {
        "carrier": np.array(["AA", "UA", "", "UA"], dtype=object),
        "late": np.array([0, 1, np.nan, 1], np.float32),
    }
    text, number = profiled(training).columns
    assert (text.nulls, dict(zip(text.values, text.counts, strict=True))) == (1, {"UA": 2, "AA": 1})
    assert number.missing == 1
    live = {
        "carrier": np.array(["", "ZZ", "AA"], dtype=object),
        "late": np.array([np.inf, np.nan, 0], np.float32),
    }
    text, number = tallied(as_logged(live), [text.shape, number.shape])
    assert (text.nulls, text.other, sum(text.counts)) == (1, 1, 1)
    assert (number.missing, number.infinities, number.counts[-1]) == (1, 1, 1)


def test_columns_that_were_not_logged_are_left_out() -> None:
    features = {name: np.ones(3, np.float32) for name in ("a", 'odd "name"')}
    shapes = [column.shape for column in profiled(features).columns]
    (only,) = tallied(as_logged({'odd "name"': np.ones(2, np.float32)}), shapes)
    assert (only.name, sum(only.counts)) == ('odd "name"', 2)
    assert tallied(pa.table({}), shapes) == []


def test_the_profile_is_a_baseline_like_any_other() -> None:
    features = {"a": np.arange(9, dtype=np.float32), "b": np.array([*"xyzxyz", "", "", ""], object)}
    profile = profiled(features, "training_data", "sha256:0")
    assert decode(encode(profile)) == profile
    assert (profile.rows, profile.columns[1].missing) == (9, 3)

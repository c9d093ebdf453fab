"""A drafted schema: the dataset that it was drafted from meets it, and it says what was seen."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from seatrial.data.dataset import Dataset, named
from seatrial.data.profiles import profile
from seatrial.data.schema.checking import Checked, check
from seatrial.data.schema.draft import draft
from seatrial.data.table import Table, open_table
from seatrial.outcome import Verdict
from seatrial.tasks._schema_file import read_schema

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Opened

NOW = dt.datetime(2024, 1, 10, tzinfo=dt.UTC)


def round_trip(table: Table, folder: Path) -> Checked:
    """The dataset held against its own draft, as read from the file."""
    file = folder / "schema.yaml"
    file.write_text(draft(profile.make(table)), encoding="utf-8")
    return check(table, read_schema(file), NOW)


def test_the_draft_of_flights_passes_on_flights(flights: Path, tmp_path: Path) -> None:
    table = open_table(named(str(flights / "data" / "training_data.csv.gz")))
    found = round_trip(table, tmp_path)
    assert (found.verdict, found.broken) == (Verdict.PASS, ())
    assert found.asked > 50


def test_what_a_draft_says(opened: Opened) -> None:
    rows = [f"{i % 3},{i / 7:.3f},{'abc'[i % 3]},{'' if i < 5 else i},true" for i in range(100)]
    table = opened("\n".join(["day of week,delay,carrier,temp,late", *rows, ""]))
    text = draft(profile.make(table))
    assert '  "day of week":\n    type: integer\n    nullable: false\n' in text
    assert "    allowed: [a, b, c]\n" in text
    assert "    max_null_percent: 10  # 5 were missing\n" in text
    assert "    min: 0  # 0 to 14.143 were seen\n    max: 16\n" in text
    assert "late:\n    type: boolean\n" in text
    assert "min: 50  # 100 were seen" in text


def test_a_draft_refuses_what_is_far_from_what_was_seen(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    rows = [f"{i},{'abc'[i % 3]}" for i in range(100)]
    file.write_text(draft(profile.make(opened("\n".join(["delay,carrier", *rows, ""])))))
    odd = opened("\n".join(["delay,carrier", *[f"{60 * i},x" for i in range(100)], ""]))
    whats = " ".join(finding.what for finding in check(odd, read_schema(file), NOW).broken)
    assert "`delay`" in whats
    assert "`carrier`" in whats


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (pa.array([1.0, float("inf")]), "# 1 infinite values"),
        (pa.nulls(2), "{}  # no value was seen"),
        (pa.array([[1], [2]]), "INTEGER[]: what such values hold cannot be checked"),
        (pa.array([dt.date(2024, 1, 1), dt.date(2024, 1, 2)]), "newer data are later"),
        (pa.array([f"{i}" for i in range(30)]), 'type: string\n    nullable: false\n  "y":'),
    ],
)
def test_what_cannot_be_drafted_is_said(tmp_path: Path, values: pa.Array, line: str) -> None:
    path = tmp_path / "d.parquet"
    parquet.write_table(pa.table({"x": values, "y": [1] * len(values)}), path)
    table = open_table(Dataset("d", path))
    assert line in draft(profile.make(table)).replace("BIGINT[]", "INTEGER[]")
    assert round_trip(table, tmp_path).broken == ()


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
CELLS = st.one_of(
    st.lists(st.none() | st.floats(width=64), min_size=6, max_size=6),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=6, max_size=6),
    st.lists(st.none() | st.text(max_size=5), min_size=6, max_size=6),
    st.lists(st.none() | st.booleans(), min_size=6, max_size=6),
    st.lists(
        st.none() | st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1)),  # noqa: DTZ001
        min_size=6,
        max_size=6,
    ),
)


def _distinct(names: list[str]) -> bool:
    return len({name.casefold() for name in names}) == len(names) and all(map(str.strip, names))


@pytest.mark.slow
@settings(max_examples=60)
@given(data=st.data(), names=st.lists(NAMES, min_size=1, max_size=4).filter(_distinct))
def test_a_draft_passes_on_what_it_was_drafted_from(
    tmp_path: Path, data: st.DataObject, names: list[str]
) -> None:
    columns: dict[str, Any] = {
        name: pa.array(data.draw(CELLS), from_pandas=False) for name in names
    }
    path = tmp_path / "d.parquet"
    parquet.write_table(pa.table(columns), path)
    found = round_trip(open_table(Dataset("d", path)), tmp_path)
    assert found.broken == ()

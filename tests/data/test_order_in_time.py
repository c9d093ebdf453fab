"""Evaluation rows lie after the end of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet

from seatrial.data.dataset import Dataset
from seatrial.data.leakage.order_in_time import early_rows
from seatrial.data.table import open_table
from seatrial.errors import FormError

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Opened

JANUARY = "day,x\n2026-01-30,1\n2026-01-31,2\n2026-01-02,3\n"


def test_later_rows_are_fine(opened: Opened) -> None:
    found = early_rows(
        opened(JANUARY, time="day"), opened("day,x\n2026-02-01,1\n", "e.csv", time="day")
    )
    assert found is not None
    assert (found.rows, found.of, found.newest) == (0, 1, "2026-01-31")


def test_rows_at_or_before_the_end_are_counted_with_examples(opened: Opened) -> None:
    later = "day,x\n2026-02-01,1\n2026-01-31,2\n,3\n2026-01-15,4\n"
    found = early_rows(opened(JANUARY, time="day"), opened(later, "e.csv", time="day"))
    assert found is not None
    assert (found.rows, found.of) == (2, 3)
    assert found.examples == ((2, "2026-01-31"), (4, "2026-01-15"))


def test_one_declaration_says_nothing(opened: Opened) -> None:
    assert early_rows(opened(JANUARY, time="day"), opened(JANUARY, "e.csv")) is None


def test_numbers_have_an_order_too(opened: Opened) -> None:
    training = opened("t,x\n5,1\nnan,2\n7.5,3\n", time="t")
    found = early_rows(training, opened("t,x\n8,1\n7.5,2\n", "e.csv", time="t"))
    assert found is not None
    assert (found.rows, found.of, found.newest) == (1, 2, "7.5")


def test_dates_times_and_zones_compare(opened: Opened, tmp_path: Path) -> None:
    """Half past one at night in Berlin is still the day before, UTC."""
    zoned = pa.array([1769902200000], pa.timestamp("ms", tz="Europe/Berlin"))
    parquet.write_table(pa.table({"when": zoned, "x": [1]}), tmp_path / "z.parquet")
    evaluation = open_table(Dataset("z", tmp_path / "z.parquet", time="when"))
    for newest, early in (("2026-01-31 23:29:59", 0), ("2026-01-31 23:30:00", 1)):
        training = opened(f"at,x\n{newest},1\n2026-01-01 00:00:00,2\n", time="at")
        found = early_rows(training, evaluation)
        assert found is not None
        assert found.rows == early


@pytest.mark.parametrize(
    ("later", "says"),
    [
        ("day,x\n20260201,1\n", "is a number, 'day' of 'd' is a time"),
        ("day,x\n1. Februar,1\n", "has no order in time"),
        ("day,x\n12:30:00,1\n", "has no order in time"),
        ("day,x\n,1\n", "has no order in time"),
        ("Tag,x\n2026-02-01,1\n", "no column 'day'"),
    ],
)
def test_what_cannot_be_compared_is_a_mistake_of_form(
    opened: Opened, later: str, says: str
) -> None:
    with pytest.raises(FormError, match=says):
        early_rows(opened(JANUARY, time="day"), opened(later, "e.csv", time="day"))


def test_numbers_that_are_all_missing_are_a_mistake_of_form(opened: Opened) -> None:
    training = opened("t,x\nnan,1\nnan,2\n", time="t")
    with pytest.raises(FormError, match="no value in any row"):
        early_rows(training, opened("t,x\n8,1\n", "e.csv", time="t"))

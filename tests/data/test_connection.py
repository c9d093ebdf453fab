"""What duckdb must be told not to do, so that its counts are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from seatrial.data.dataset import Dataset
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from pathlib import Path


def test_nan_is_seen_in_a_parquet_file_whose_bounds_leave_it_out(tmp_path: Path) -> None:
    """Its bounds are those of the other numbers, and no sign that there are no more."""
    numbers = np.where(np.arange(1000) % 4 == 0, np.nan, np.arange(1000.0))
    letters = ["a" if i % 2 == 0 else "b" for i in range(1000)]
    rows = pa.table({"x": numbers, "s": letters})
    parquet.write_table(rows, tmp_path / "d.parquet", row_group_size=300)
    table = open_table(Dataset("d", tmp_path / "d.parquet"))
    present = "count(CASE WHEN NOT isnan(CAST(x AS DOUBLE)) THEN x END)"
    counted = f"SELECT count(*), {present}, count(*) FILTER (isnan(x)) FROM rows"  # noqa: S608
    assert table.sql(counted) == [(1000, 750, 250)]
    assert table.sql(f"{counted} WHERE s = 'a'") == [(500, 250, 250)]
    assert table.sql("SELECT count(*) FROM rows WHERE isnan(CAST(x AS FLOAT))") == [(250,)]

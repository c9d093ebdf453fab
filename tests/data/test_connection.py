"""What duckdb must be told not to do, so that its counts are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from seatrial.data.dataset import Dataset
from seatrial.data.shape import Shape
from seatrial.data.sources import connection
from seatrial.data.sources.connection import connect
from seatrial.data.sources.scratch import Scratch
from seatrial.data.table import open_table

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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


def test_a_row_group_may_be_larger_than_the_memory_of_scans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers make groups of a million rows: all columns of one can be gigabytes."""
    monkeypatch.setattr(connection, "LEAST_MB", 48)
    monkeypatch.setattr(connection, "THREAD_MB", 16)
    random = np.random.default_rng(1)
    rows = pa.table({f"c{i}": random.random(400_000) for i in range(24)})
    parquet.write_table(rows, tmp_path / "d.parquet", row_group_size=400_000)
    table = open_table(Dataset("d", tmp_path / "d.parquet"))
    shapes = [Shape(column) for column in table.columns]
    assert [column.present for column in table.tally(shapes)] == [400_000] * 24


def test_each_thread_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads get more memory together; where there is little, there are fewer threads."""
    for memory_mb, wanted in ((64_000, (64, 8192)), (2_000, (15, 1000)), (200, (1, 100))):
        monkeypatch.setattr(connection, "_memory_mb", lambda mb=memory_mb: mb)
        scratch = Scratch()
        with connect(scratch) as opened:
            opened.execute("SET threads = 64")
            connection.allow(opened, connection.LEAST_MB)
            asked = "SELECT current_setting('threads'), current_setting('memory_limit')"
            threads, limit = opened.execute(asked).fetchone() or (0, "")
        scratch.remove()
        number, unit = limit.split()
        mb = float(number) * {"MiB": 2**20, "GiB": 2**30}[unit] / 1e6
        assert (threads, round(mb / 100)) == (wanted[0], round(wanted[1] / 100))

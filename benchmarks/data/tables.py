"""The tables that are measured on: 12 floats, 4 integers, 4 texts; some values are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLOATS = tuple(f"f{i}" for i in range(12))
INTEGERS = {"i0": 5, "i1": 100, "i2": 10_000, "i3": 1_000_000}
TEXTS = {"s0": 3, "s1": 15, "s2": 60, "s3": 1_000}
COLUMNS = (*FLOATS, *INTEGERS, *TEXTS)
GAPS = {"f0": 0.02, "f1": 0.02, "f2": 0.02, "f3": 0.02, "s0": 0.01, "s1": 0.01}
"""The shares of missing values."""

BLOCK = 1_000_000
GROUP = 122_880
"""Rows of a row group: one row group would be read by one thread."""


def write(path: Path, rows: int, seed: int) -> Path:
    """A table of so many rows as Parquet or CSV, by the ending of its name; block by block."""
    rng = np.random.default_rng(seed)
    first = _block(rng, min(rows, BLOCK))
    if path.suffix == ".csv":
        with pyarrow.csv.CSVWriter(path, first.schema) as csv:
            _fill(csv.write_table, first, rng, rows)
    else:
        with pq.ParquetWriter(path, first.schema) as parquet:
            _fill(lambda table: parquet.write_table(table, GROUP), first, rng, rows)
    return path


def _fill(
    take: Callable[[pa.Table], None], first: pa.Table, rng: np.random.Generator, rows: int
) -> None:
    take(first)
    for start in range(BLOCK, rows, BLOCK):
        take(_block(rng, min(BLOCK, rows - start)))


def _block(rng: np.random.Generator, rows: int) -> pa.Table:
    columns: dict[str, object] = {}
    for i, name in enumerate(FLOATS):
        columns[name] = rng.normal(i, 1 + i / 4, rows) if i % 2 else rng.lognormal(0, 1, rows)
    for name, most in INTEGERS.items():
        columns[name] = rng.integers(0, most, rows)
    for name, kinds in TEXTS.items():
        words = np.array([f"kind {k}" for k in range(kinds)])
        columns[name] = words[np.minimum(rng.exponential(kinds / 4, rows).astype(int), kinds - 1)]
    gaps = {name: rng.random(rows) < share for name, share in GAPS.items()}
    return pa.table({name: pa.array(v, mask=gaps.get(name)) for name, v in columns.items()})


def mix(path: Path, table: Path, other: Path, every: int) -> Path:
    """A copy of ``table`` with each ``every``-th row that of ``other``, both of one block."""
    ours, theirs = pq.read_table(table), pq.read_table(other)
    chosen = pa.array(np.arange(ours.num_rows) % every == 0)
    columns = {
        name: pc.if_else(chosen, theirs[name].combine_chunks(), ours[name].combine_chunks())
        for name in ours.column_names
    }
    pq.write_table(pa.table(columns), path, GROUP)
    return path

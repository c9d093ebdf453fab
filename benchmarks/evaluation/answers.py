"""A table to judge on: 20 features (missing values among them), the truth, and a model's answers.

The same for everybody: twelve floats, four integers, four texts; two classes and their
probabilities (``late``, ``label``, ``p``), and a number with its prediction (``delay``, ``said``).
Answers are worse where ``s1`` is ``kind 3`` and ``f0`` is high: a weak slice to be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

FLOATS = tuple(f"f{i}" for i in range(12))
INTEGERS = {"i0": 5, "i1": 12, "i2": 10_000, "i3": 1_000_000}
TEXTS = {"s0": 3, "s1": 15, "s2": 60, "s3": 1_000}
FEATURES = (*FLOATS, *INTEGERS, *TEXTS)
SLICES = ("i0", "i1", "s0")
"""Their 5, 12 and 3 values make 20 slices, and the rows without ``s0`` one more."""

HIGH, LATE, SURE, GAPS = 0.7, 0.3, 0.5, 0.02
"""From where on ``f0`` is high; shares of late rows and of gaps; the probability that decides."""


def write(path: Path, rows: int, seed: int) -> Path:
    """As Parquet."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {name: rng.normal(size=rows).round(3) for name in FLOATS}
    for name, most in INTEGERS.items():
        columns[name] = rng.integers(0, most, rows)
    for name, kinds in TEXTS.items():
        words = np.array([f"kind {k}" for k in range(kinds)])
        columns[name] = words[np.minimum(rng.exponential(kinds / 3, rows).astype(int), kinds - 1)]
    weak = (columns["s1"] == "kind 3") & (np.asarray(columns["f0"]) > HIGH)
    late = rng.random(rows) < LATE
    score = rng.normal(size=rows) + np.where(weak, 0.5, 2.0) * late
    p = 1 / (1 + np.exp(2.8 - 2 * score))
    delay = rng.normal(size=rows)
    columns |= {"late": late.astype(int), "label": (p > SURE).astype(int), "p": p, "delay": delay}
    columns["said"] = delay + rng.normal(size=rows) * np.where(weak, 1.5, 0.5)
    gaps = {name: rng.random(rows) < GAPS for name in ("f0", "f1", "s0")}
    table = pa.table({name: pa.array(v, mask=gaps.get(name)) for name, v in columns.items()})
    pq.write_table(table, path)
    return path

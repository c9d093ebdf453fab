"""Tables of fifty columns: 40 numbers, 10 texts of up to 20 values; all of them may have moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS, TEXTS = 40, 10
COLUMNS = NUMBERS + TEXTS
_SHIFT = 0.8


def write(path: Path, rows: int, seed: int, *, moved: bool) -> Path:
    """So many rows as Parquet; ``moved`` shifts each column by most of its spread."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {}
    for place in range(NUMBERS):
        shift = _SHIFT if moved else 0.0
        normal = rng.normal(shift, 1, rows)
        columns[f"number_{place}"] = np.exp(normal) if place % 2 else normal
    for place in range(TEXTS):
        kinds = 2 + 2 * place
        words = np.array([f"kind {k}" for k in range(kinds)])
        spread = 1.5 if moved else 4.0
        drawn = rng.exponential(kinds / spread, rows).astype(int)
        columns[f"text_{place}"] = words[np.minimum(drawn, kinds - 1)]
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
    return path

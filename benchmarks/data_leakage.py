"""Are rows of the evaluation set in the training set? One million rows against one million.

Two Parquet files of 20 columns, already opened; one in a hundred evaluation rows is a training
row, so that finds are confirmed too. Fresh processes; imports and opening are left out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from data.costs import in_turn, median
from data.tables import mix, write
from measuring import Figure

ROUNDS = 5
ROWS = 1_000_000
MOST_S = 1.0


def figures() -> list[Figure]:
    """Seconds for honest rows, and for rows of which one in a hundred was trained on."""
    with tempfile.TemporaryDirectory() as folder:
        training = write(Path(folder, "training.parquet"), ROWS, seed=1)
        honest = write(Path(folder, "honest.parquet"), ROWS, seed=2)
        shared = mix(Path(folder, "shared.parquet"), honest, training, every=100)
        ours = [sys.executable, "-m", "data.ours", "leakage", str(training)]
        costs = in_turn(
            {"no row is shared": [*ours, str(honest)], "1 % is shared": [*ours, str(shared)]},
            ROUNDS,
        )
    return [
        Figure(
            name=f"rows in common, 1M x 1M, {what}",
            value=median(cost, "compare_s"),
            unit="s",
            goal=f"under {MOST_S:g} s",
            met=median(cost, "compare_s") < MOST_S,
            detail=f"{median(cost, 'shared'):.0f} shared, {median(cost, 'peak_mb'):.0f} MB",
        )
        for what, cost in costs.items()
    ]

"""Schema and distribution checks against a stored profile, beside the floor, in fresh processes.

The floor is what looking at every value once costs: count, least and greatest of the same 20
columns in duckdb. Ours opens the file, takes its fingerprint, checks the schema with twelve ranges
and compares every column with a profile of other rows. Imports are left out on both sides.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from data.costs import asked, in_turn, median
from data.tables import write
from measuring import Figure

ROUNDS = 3
MILLION = 1_000_000
SIZES = {1: 400, 10: 700}
"""Millions of rows, and the most megabytes that they may take."""

TIMES = {"parquet": 4.0, "csv": 3.0}
FLAT = 50
"""Millions of rows at which the memory is still that of ten."""


def figures() -> list[Figure]:
    """Times the floor and peak memory for each size and format; memory at fifty million rows."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        baseline = Path(folder, "baseline.json")
        reference = write(Path(folder, "reference.parquet"), MILLION, seed=2)
        made = asked([sys.executable, "-m", "data.ours", "profile", str(reference), str(baseline)])
        found.append(
            Figure(
                name="building the profile of 1M x 20 Parquet",
                value=made["job_s"],
                unit="s",
                detail=f"{made['peak_mb']:.0f} MB",
            )
        )
        for millions, most_mb in SIZES.items():
            for kind, times in TIMES.items():
                table = write(Path(folder, f"now.{kind}"), millions * MILLION, seed=1)
                found += _compared(table, baseline, f"{millions}M x 20 {kind}", times, most_mb)
                table.unlink()
        table = write(Path(folder, "now.parquet"), FLAT * MILLION, seed=1)
        found.append(_flat(table, baseline))
    return found


def _compared(table: Path, baseline: Path, what: str, times: float, most_mb: float) -> list[Figure]:
    costs = in_turn(
        {
            "floor": [sys.executable, "-m", "data.floor", str(table)],
            "ours": [sys.executable, "-m", "data.ours", "check", str(table), str(baseline)],
        },
        ROUNDS,
    )
    floor, ours = (median(costs[name], "job_s") for name in ("floor", "ours"))
    peak_mb = median(costs["ours"], "peak_mb")
    return [
        Figure(
            name=f"schema and distribution of {what}, times the floor",
            value=ours / floor,
            unit="x",
            goal=f"at most {times:g} x",
            met=ours / floor <= times,
            detail=f"{ours:.2f} s beside {floor:.2f} s; "
            + ", ".join(
                f"{s} {median(costs['ours'], s):.2f}" for s in ("open_s", "schema_s", "drift_s")
            ),
        ),
        Figure(
            name=f"peak memory, {what}",
            value=peak_mb,
            unit="MB",
            goal=f"at most {most_mb} MB",
            met=peak_mb <= most_mb,
            detail=f"the floor {median(costs['floor'], 'peak_mb'):.0f} MB",
        ),
    ]


def _flat(table: Path, baseline: Path) -> Figure:
    cost = asked([sys.executable, "-m", "data.ours", "check", str(table), str(baseline)])
    most_mb = SIZES[10]
    return Figure(
        name=f"peak memory, {FLAT}M x 20 parquet",
        value=cost["peak_mb"],
        unit="MB",
        goal=f"at most {most_mb} MB, as at 10M",
        met=cost["peak_mb"] <= most_mb,
        detail=f"{cost['job_s']:.1f} s, once",
    )

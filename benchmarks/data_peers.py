"""Data checks beside their peers: 1M rows x 20 columns, fresh processes in turn, imports left out.

The jobs are alike, not equal: evidently builds its reference from raw rows each time, so building
our profile is counted too; the schema jobs check types and twelve ranges, after loading the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from data.costs import in_turn, median
from data.tables import write
from measuring import Figure, environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PEER_SCRIPTS = Path(__file__).parent / "data" / "peers"
ROUNDS = 3
ROWS = 1_000_000
DRIFT_TIMES = 20.0
PEERS: Mapping[str, Sequence[str]] = {
    "evidently": ["evidently==0.7.23", "pandas<3", "pyarrow"],
    "pandera": ["pandera[pandas]==0.35.0", "pyarrow"],
    "pointblank": ["pointblank==1.1.1", "polars", "pyarrow"],
    "great_expectations": ["great_expectations==1.24.1", "pandas<3", "pyarrow"],
    "ydata": ["ydata-profiling==4.18.4", "setuptools<81", "pyarrow"],
}
SCRIPTS = {
    "evidently": "evidently_kl.py",
    "pandera": "pandera_schema.py",
    "pointblank": "pointblank_schema.py",
    "great_expectations": "great_expectations_schema.py",
    "ydata": "ydata_profile.py",
}


def figures() -> list[Figure]:
    """Seconds from the file to the verdict, ours and theirs."""
    with tempfile.TemporaryDirectory() as folder:
        reference = str(write(Path(folder, "reference.parquet"), ROWS, seed=2))
        table = str(write(Path(folder, "now.parquet"), ROWS, seed=1))
        ours = [sys.executable, "-m", "data.ours"]
        rivals = {
            "drift": [*ours, "drift", reference, table],
            "schema": [*ours, "schema", table],
            "profile": [*ours, "profile", table, str(Path(folder, "made.json"))],
        }
        for name, wanted in PEERS.items():
            script = [str(environment(name, wanted)), str(PEER_SCRIPTS / SCRIPTS[name])]
            rivals[name] = [*script, *([reference] if name == "evidently" else []), table]
        costs = in_turn(rivals, ROUNDS)
    return [
        _drift(costs),
        *(_schema(costs, name) for name in ("pandera", "pointblank", "great_expectations")),
        _profile(costs),
    ]


def _told(costs: Mapping[str, Sequence[Mapping[str, float]]], name: str) -> str:
    stages = [s for s in ("import_s", "load_s", "job_s") if s in costs[name][0]]
    parts = ", ".join(f"{s.removesuffix('_s')} {median(costs[name], s):.2f} s" for s in stages)
    return f"{parts}, {median(costs[name], 'peak_mb'):.0f} MB"


def _drift(costs: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    times = median(costs["evidently"], "load_s", "job_s") / median(costs["drift"], "job_s")
    return Figure(
        name="KL drift of every column with building the reference, times faster than evidently",
        value=times,
        unit="x",
        goal=f"at least {DRIFT_TIMES:g} x",
        met=times >= DRIFT_TIMES,
        detail=f"ours: {_told(costs, 'drift')}; evidently: {_told(costs, 'evidently')}",
    )


def _schema(costs: Mapping[str, Sequence[Mapping[str, float]]], peer: str) -> Figure:
    times = median(costs[peer], "load_s", "job_s") / median(costs["schema"], "job_s")
    return Figure(
        name=f"schema and twelve ranges, times faster than {peer}",
        value=times,
        unit="x",
        goal="" if peer == "great_expectations" else "at least 1 x",
        met=None if peer == "great_expectations" else times >= 1,
        detail=f"ours: {_told(costs, 'schema')}; {peer}: {_told(costs, peer)}",
    )


def _profile(costs: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    return Figure(
        name="a profile, times faster than ydata-profiling (minimal)",
        value=median(costs["ydata"], "load_s", "job_s") / median(costs["profile"], "job_s"),
        unit="x",
        detail=f"ours: {_told(costs, 'profile')}; ydata-profiling: {_told(costs, 'ydata')}",
    )

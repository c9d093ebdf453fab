"""performance_tests' quality beside its peers: 100k rows x 20, fresh processes in turn, no imports.

The jobs are alike, not equal: ours gives every metric its interval, judges 20 slices and searches
for the worst one; mlflow gives values alone, and plots; deepchecks searches weak segments without
a correction or an interval.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from data.costs import in_turn, median
from evaluation.answers import write
from measuring import Figure, environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Costs = Mapping[str, Sequence[Mapping[str, float]]]

HERE = Path(__file__).parent
PEERS = HERE / "evaluation" / "peers"
ROUNDS = 3
ROWS = 100_000
MOST_S = 5.0
MLFLOW = ["mlflow==3.17.2"]
# The last set of versions with which it runs: pkg_resources, and a scorer that is gone since.
DEEPCHECKS = [
    "deepchecks==0.19.1", "setuptools<81", "scikit-learn==1.3.2", "numpy<2", "pandas<2.2",
    "pyarrow<20",
]  # fmt: skip


def figures() -> list[Figure]:
    """Seconds from rows and answers in memory to every verdict, ours and theirs."""
    with tempfile.TemporaryDirectory() as folder:
        table = str(write(Path(folder, "validation.parquet"), ROWS, seed=1))
        rivals = {
            job: [sys.executable, "-m", "evaluation.quality", job, table]
            for job in ("classes", "numbers", "own")
        }
        mlflow = _peer("mlflow", MLFLOW, "mlflow_evaluate.py")
        rivals |= {f"mlflow {job}": [*mlflow, job, table] for job in ("classes", "numbers")}
        missing = ""
        try:
            peer = _peer("deepchecks", DEEPCHECKS, "deepchecks_segments.py")
            rivals["deepchecks"] = [*peer, table]
        except subprocess.CalledProcessError as error:
            missing = f"deepchecks does not install: {error}"
        costs = in_turn(rivals, ROUNDS)
    return [
        _ours(costs, "classes", "closed forms and exact laws"),
        _ours(costs, "numbers", "neg_median_absolute_error by 1 000 resamples"),
        _ours(costs, "own", "a metric of which only the value is known, by 1 000 resamples"),
        _beside(costs, "classes"),
        _beside(costs, "numbers"),
        _segments(costs, missing),
    ]


def _peer(name: str, wanted: Sequence[str], script: str) -> list[str]:
    told = HERE / "data" / "peers"
    return ["env", f"PYTHONPATH={told}", str(environment(name, wanted)), str(PEERS / script)]


def _ours(costs: Costs, job: str, how: str) -> Figure:
    own = costs[job]
    seconds = median(own, "judge_s", "search_s")
    goal = job != "own"
    return Figure(
        name=f"quality with intervals, 20 slices and the worst slice: {how}",
        value=seconds,
        unit="s",
        goal=f"under {MOST_S:g} s" if goal else "",
        met=seconds < MOST_S if goal else None,
        detail=f"metrics and slices {median(own, 'judge_s'):.2f} s, search of"
        f" {median(own, 'searched'):.0f} slices {median(own, 'search_s'):.2f} s (the planted one"
        f" {'found' if own[0]['found'] else 'not found'}), {median(own, 'peak_mb'):.0f} MB",
    )


def _beside(costs: Costs, job: str) -> Figure:
    theirs = costs[f"mlflow {job}"]
    return Figure(
        name=f"quality of {job}, times faster than mlflow.models.evaluate (values alone)",
        value=median(theirs, "job_s") / median(costs[job], "judge_s", "search_s"),
        unit="x",
        detail=f"mlflow: {median(theirs, 'job_s'):.2f} s, {median(theirs, 'metrics'):.0f} metrics,"
        f" no interval, no slice, {median(theirs, 'peak_mb'):.0f} MB",
    )


def _segments(costs: Costs, missing: str) -> Figure:
    ours = median(costs["classes"], "search_s")
    if missing:
        return Figure(name="search of the worst slice", value=ours, unit="s", detail=missing)
    theirs = costs["deepchecks"]
    return Figure(
        name="search of the worst slice, times faster than deepchecks' weak segments",
        value=median(theirs, "segments_s") / ours,
        unit="x",
        detail=f"ours {ours:.2f} s, corrected for the search; deepchecks"
        f" {median(theirs, 'segments_s'):.2f} s (its metrics {median(theirs, 'metrics_s'):.2f} s),"
        f" on 10 000 rows, {median(theirs, 'segments'):.0f} segments, no correction, no interval,"
        f" {median(theirs, 'peak_mb'):.0f} MB",
    )

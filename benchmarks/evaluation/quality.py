"""What the quality part of performance_tests costs: ``python -m evaluation.quality JOB TABLE``.

Prints JSON; imports are left out. JOB is ``classes`` (closed forms and exact laws), ``numbers``
(a metric that needs resampling) or ``own`` (a metric that says nothing but its value).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

# What the judging would import when it begins is imported before the clock starts.
import pyarrow as pa
import scipy.special  # noqa: F401

from data.costs import told
from evaluation.answers import FEATURES, SLICES
from seatrial.data.dataset import Dataset
from seatrial.data.roles import features
from seatrial.data.table import open_table
from seatrial.evaluation.labelled import Labelled
from seatrial.evaluation.slices import columns, declared, judged, partition, search
from seatrial.evidence.absolute import absolute
from seatrial.metrics import Metric, Predictions, get

SEED = 1
ASKED = 0.3
"""From this probability on somebody looks; a late row that nobody looked at costs ten looks."""


def _cost(y: np.ndarray, answers: Predictions) -> float:
    assert answers.probabilities is not None
    p = answers.probabilities[:, 1]
    return float(np.where(y == 1, 10.0 * (p < ASKED), 1.0 * (p >= ASKED)).mean())


OWN = Metric(name="cost", problem="classes", value=_cost, greater_is_better=False, least=0.0)

JOBS = {
    "classes": (
        get("roc_auc"),
        [get(word) for word in ("neg_log_loss", "expected_calibration_error", "f1")],
    ),
    "numbers": (get("neg_median_absolute_error"), [get("r2"), get("neg_mean_absolute_error")]),
    "own": (OWN, []),
}


def main(job: str, path: str) -> None:
    """Load, judge, tell."""
    began = time.perf_counter()
    table = open_table(Dataset("validation", Path(path)))
    primary, further = JOBS[job]
    target = "late" if primary.problem == "classes" else "delay"
    read = features(table, [table[name] for name in FEATURES])
    rows = Labelled("validation", read, table.numbers(target), primary, None)
    if primary.problem == "classes":
        rows = Labelled("validation", read, rows.labels.astype(np.int64), primary, None)
        p = table.numbers("p").astype(np.float32)
        label = table.numbers("label").astype(np.int64)
        answers = Predictions(label, np.column_stack([1 - p, p]), (0, 1))
    else:
        answers = Predictions(table.numbers("said"))
    pa.array(["warm"]).dictionary_encode()
    loaded = time.perf_counter()
    bounds = [absolute(each, rows.labels, answers, None, seed=SEED) for each in (primary, *further)]
    slices = declared.slices(SLICES, columns.from_table(table, SLICES))
    on = judged.on_slices(rows, answers, slices, 0.5, seed=SEED)
    sliced = time.perf_counter()
    parts = [partition.divided(column) for column in columns.from_features(read).values()]
    worst = search.worst(rows, answers, parts, 0.5, seed=SEED)
    ended = time.perf_counter()
    assert worst is not None
    assert len(bounds) == 1 + len(further)
    told(
        load_s=loaded - began,
        judge_s=sliced - loaded,
        search_s=ended - sliced,
        slices=len(on),
        searched=worst.searched,
        found=worst.beyond_chance and "s1 = kind 3" in worst.slice.name,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Paired intervals of a million rows: how long, beside a thousand draws of all the rows?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evidence.intervals import RESAMPLES, naive, ours
from evidence.models import BY_SCORES, BY_VALUE, classes
from measuring import Figure
from seatrial import metrics

if TYPE_CHECKING:
    from evidence.models import Pair
    from seatrial.metrics import Metric

MANY = 1_000_000
GROUPS = 100_000
ROUNDS = 5

LIMITS_S = {"accuracy": 0.1, "f1": 0.1, "roc_auc": 2.0}
RIVALS = {
    "accuracy": ("", False, 5),
    "f1": ("f1_score", False, 3),
    "roc_auc": ("roc_auc_score", True, 2),
    "average_precision": ("average_precision_score", True, 2),
}
"""scikit-learn's function (none: a mean by numpy, which is faster), whether it takes scores, and
how many draws are measured."""

ALONE = ("f1_macro", "neg_log_loss")


def figures() -> list[Figure]:
    """Each metric on the same rows; then grouped rows, and metrics that give their value alone."""
    from sklearn import metrics as theirs  # noqa: PLC0415 - slow to import

    rows = classes(1, MANY)
    found = []
    for name, (scorer, scores, drawn) in RIVALS.items():
        seconds, _ = naive(getattr(theirs, scorer, _accuracy), rows, drawn, scores=scores)
        whose = scorer or "numpy"
        beside = f"{RESAMPLES} draws of all rows, {whose}: {seconds:.3g} s (scaled from {drawn})"
        found.append(_figure(metrics.get(name), rows, beside))
    found += [_figure(metrics.get(name), rows, "") for name in ALONE]
    groups = np.random.default_rng(2).integers(0, GROUPS, MANY)
    found += [
        _figure(metrics.get(name), rows, "", groups) for name in ("accuracy", "f1", "roc_auc")
    ]
    return [*found, _figure(BY_SCORES, rows, "drawn by counts of (truth, score, score)"),
            _figure(BY_VALUE, rows, "drawn 10 000 rows at a time")]  # fmt: skip


def _accuracy(y: np.ndarray, answers: np.ndarray) -> float:
    return float(np.mean(y == answers))


def _figure(metric: Metric, rows: Pair, beside: str, groups: np.ndarray | None = None) -> Figure:
    timed = ours(metric, rows, ROUNDS, groups)
    limit_s = LIMITS_S.get(metric.name) if groups is None else None
    entities = "" if groups is None else f", {GROUPS} entities"
    told = (
        f"processor: {timed.cpu_s:.3g} s; {timed.measure.low:.5f} to {timed.measure.high:.5f} worse"
    )
    return Figure(
        name=f"paired interval, {metric.name}, {MANY} rows{entities}",
        value=timed.seconds,
        unit="s",
        goal=f"under {limit_s:g} s" if limit_s else "",
        met=timed.seconds < limit_s if limit_s else None,
        detail="; ".join(filter(None, (told, beside))),
    )


if __name__ == "__main__":
    for figure in figures():
        mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
        print(f"{figure.name}: {figure.value:.3g} {figure.unit} {figure.goal} {mark}")
        print(f"  {figure.detail}")

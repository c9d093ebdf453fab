"""Paired intervals on many rows, beside the plain bootstrap that draws the rows again."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence.paired import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from evidence.models import Pair
    from seatrial.metrics import Metric
    from seatrial.outcome import Measure

    Scorer = Callable[[np.ndarray, np.ndarray], float]

RESAMPLES = 1000
"""Of the plain bootstrap: a few are measured, and their time is scaled to so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Median seconds of one interval, of wall and of processor, and the interval."""

    seconds: float
    cpu_s: float
    measure: Measure


def ours(metric: Metric, rows: Pair, rounds: int, groups: np.ndarray | None = None) -> Timed:
    """After a first round that does not count: it loads what only judging needs."""
    y, production, candidate = rows
    spent = []
    for _ in range(rounds + 1):
        began, busy = time.perf_counter(), time.process_time()
        measure = compare(metric, y, candidate, production, 0.05, seed=1, groups=groups)
        spent.append((time.perf_counter() - began, time.process_time() - busy))
    wall_s, cpu_s = (statistics.median(each) for each in zip(*spent[1:], strict=True))
    return Timed(seconds=wall_s, cpu_s=cpu_s, measure=measure)


def naive(scorer: Scorer, rows: Pair, drawn: int, *, scores: bool) -> tuple[float, np.ndarray]:
    """Seconds that a thousand draws would take, and the differences of those that were made."""
    y, *models = rows
    answers = [
        model.probabilities[:, 1] if scores and model.probabilities is not None else model.label
        for model in models
    ]
    random = np.random.default_rng(1)
    found = []
    began = time.perf_counter()
    for _ in range(drawn):
        chosen = random.integers(0, len(y), len(y))
        values = [scorer(y[chosen], answer[chosen]) for answer in answers]
        found.append(values[0] - values[1])
    return (time.perf_counter() - began) * RESAMPLES / drawn, np.array(found)

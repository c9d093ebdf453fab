"""What of the slices is kept with a verdict, so that they can be drawn when the rows are gone?

The document (JSON), counts and no rows::

    {"version": 1, "dataset": "validation_data", "fingerprint": "…", "rows": 9000,
     "metric": "roc_auc", "greater_is_better": true, "limit": 0.7,
     "slices": [{"name": "origin = JFK", "named": false, "rows": 3120, "why": "",
                 "labels": {"0": 2500, "1": 620},
                 "measure": {"value": 0.84, "low": 0.82, "high": 0.86, "verdict": "pass"},
                 "degradation": {"value": 0.01, "low": -0.004, "high": 0.02, "verdict": "skip"}}],
     "worst": {"name": "…", "rows": 412, "searched": 5214, "beyond_chance": true,
               "labels": {…}, "measure": {…}, "rest": {…}}}

``limit``, ``degradation`` and ``worst`` may be null. ``labels`` counts the rows of each class; of
numbers it is ``{"mean": …, "deviation": …}`` of the target, null without rows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.judged import OnSlice
    from seatrial.evaluation.slices.search import Worst
    from seatrial.outcome import Measure

VERSION = 1


def document(
    rows: Labelled,
    fingerprint: str,
    limit: float | None,
    judged: Sequence[OnSlice],
    worst: Worst | None,
) -> dict[str, object]:
    """A plain dict, as described above."""
    metric = rows.metric
    return {
        "version": VERSION,
        "dataset": rows.dataset,
        "fingerprint": fingerprint,
        "rows": rows.rows,
        "metric": metric.name,
        "greater_is_better": metric.greater_is_better,
        "limit": limit,
        "slices": [
            {
                "name": each.slice.name,
                "named": each.slice.named,
                "rows": len(each.slice.rows),
                "why": each.why,
                "labels": _labels(rows, each.slice.rows),
                "measure": _numbers(each.measure),
                "degradation": _numbers(each.degradation) if each.degradation else None,
            }
            for each in judged
        ],
        "worst": None if worst is None else _worst(rows, worst),
    }


def written(found: dict[str, object]) -> bytes:
    """The document as one line of JSON; the same slices give the same bytes."""
    return json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _worst(rows: Labelled, worst: Worst) -> dict[str, object]:
    return {
        "name": worst.slice.name,
        "rows": len(worst.slice.rows),
        "searched": worst.searched,
        "beyond_chance": worst.beyond_chance,
        "labels": _labels(rows, worst.slice.rows),
        "measure": _numbers(worst.measure),
        "rest": _numbers(worst.rest),
    }


def _numbers(measure: Measure) -> dict[str, object]:
    return {
        "value": measure.value,
        "low": measure.low,
        "high": measure.high,
        "verdict": measure.verdict.value,
    }


def _labels(rows: Labelled, chosen: NDArray[np.intp]) -> dict[str, Any]:
    inside = rows.labels[chosen]
    if rows.metric.problem == "classes":
        known, counts = np.unique(inside.astype(str), return_counts=True)
        return dict(zip(known.tolist(), counts.tolist(), strict=True))
    if not len(inside):
        return {"mean": None, "deviation": None}
    numbers = inside.astype(np.float64)
    return {"mean": float(numbers.mean()), "deviation": float(numbers.std())}

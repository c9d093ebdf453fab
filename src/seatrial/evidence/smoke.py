"""Is a handful of rows enough to see that the model is broken?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seatrial.evidence.absolute import absolute
from seatrial.metrics import why_undefined
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    import numpy as np

    from seatrial.metrics import Metric, Predictions
    from seatrial.outcome import Measure

RAREST = 5
"""Rows that the rarer class must have."""


@dataclass(frozen=True, slots=True)
class Smoke:
    """The measure, and in one sentence why it has its verdict."""

    measure: Measure
    reason: str


def smoke(
    metric: Metric, y: np.ndarray, predictions: Predictions, limit: float, *, seed: int
) -> Smoke:
    """Fail only when even the favourable bound misses the limit; else pass.

    Skips when the rarer class has fewer than five of the rows, or the metric has no value on them.

    >>> import numpy as np
    >>> from seatrial.metrics import Predictions, get
    >>> guesses = Predictions(np.arange(50) // 2 % 2, None, (0, 1))
    >>> smoke(get("accuracy"), np.arange(50) % 2, guesses, 0.8, seed=1).measure.verdict.value
    'fail'
    """
    measure = absolute(metric, y, predictions, limit, seed=seed)
    rows = min((int((y == label).sum()) for label in predictions.classes), default=len(y))
    if predictions.classes and rows < RAREST:
        reason = f"the rarer class has {rows} of {len(y)} rows; a smoke test needs {RAREST}"
        return Smoke(replace(measure, verdict=Verdict.SKIP), reason)
    if measure.value is None:
        return Smoke(replace(measure, verdict=Verdict.SKIP), why_undefined(metric, y, predictions))
    value = f"{metric.name} {measure.value:.4g} on {measure.n} rows"
    if measure.verdict is Verdict.FAIL:
        return Smoke(measure, f"{value}: not even by luck can it be within {limit:.4g}")
    passed = replace(measure, verdict=Verdict.PASS)
    return Smoke(passed, f"{value}: {limit:.4g} is not out of reach")

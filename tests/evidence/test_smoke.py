"""A handful of rows fails only what is certainly broken."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial import metrics
from seatrial.evidence.smoke import smoke
from seatrial.metrics import Predictions
from seatrial.outcome import Verdict


def answers(right: int, positives: int = 25) -> tuple[np.ndarray, Predictions]:
    y = (np.arange(50) < positives).astype(int)
    wrong = np.arange(50) % 50 >= right
    return y, Predictions(np.where(wrong, 1 - y, y), None, (0, 1))


@pytest.mark.parametrize(
    ("right", "verdict"),
    [(50, Verdict.PASS), (40, Verdict.PASS), (36, Verdict.PASS), (30, Verdict.FAIL)],
)
def test_only_certain_failures_fail(right: int, verdict: Verdict) -> None:
    told = smoke(metrics.get("accuracy"), *answers(right), 0.82, seed=1)
    assert told.measure.verdict is verdict
    assert told.measure.limit == 0.82
    assert f"accuracy {right / 50:.4g} on 50 rows" in told.reason


@pytest.mark.parametrize(("positives", "skipped"), [(4, True), (5, False), (45, False), (46, True)])
def test_too_few_rows_of_a_class_skip(positives: int, skipped: bool) -> None:  # noqa: FBT001
    told = smoke(metrics.get("accuracy"), *answers(50, positives), 0.82, seed=1)
    assert (told.measure.verdict is Verdict.SKIP) == skipped
    assert ("rarer class has 4 of 50 rows" in told.reason) == skipped


def test_numbers_have_no_rarer_class() -> None:
    y = np.linspace(0, 1, 20)
    told = smoke(metrics.get("r2"), y, Predictions(y + 0.01), 0.5, seed=1)
    assert told.measure.verdict is Verdict.PASS

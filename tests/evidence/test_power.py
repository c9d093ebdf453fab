"""What is told beforehand is what the judging does afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import metrics
from seatrial.evidence import power, rates
from seatrial.evidence.absolute import absolute
from seatrial.metrics import Predictions
from seatrial.outcome import Direction, Measure, Verdict


@settings(max_examples=30, deadline=None)
@given(n=st.integers(5, 3000), limit=st.floats(0.5, 0.97))
def test_the_least_passing_accuracy_passes_and_one_row_less_does_not(n: int, limit: float) -> None:
    accuracy = metrics.get("accuracy")
    least = power.smallest_passing(accuracy, n, limit)
    right = n if least is None else round(least * n)

    def verdict(count: int) -> Verdict:
        y = np.zeros(n, int)
        answer = (np.arange(n) >= count).astype(int)
        return absolute(accuracy, y, Predictions(answer, None, (0, 1)), limit, seed=1).verdict

    assert (verdict(right) is Verdict.PASS) == (least is not None)
    assert verdict(right - 1) is not Verdict.PASS


@pytest.mark.parametrize("name", ["roc_auc", "f1", "recall", "precision"])
def test_fewer_positive_rows_ask_for_more(name: str) -> None:
    metric = metrics.get(name)
    many = power.smallest_passing(metric, 2000, 0.8, positives=1000)
    few = power.smallest_passing(metric, 2000, 0.8, positives=60)
    assert many is not None
    assert few is not None
    assert 0.8 < many < few < 1
    assert power.smallest_passing(metric, 2000, 0.99, positives=3) is None
    assert power.smallest_passing(metric, 2000, 0.8, positives=0) is None


@pytest.mark.parametrize("name", ["r2", "neg_log_loss", "average_precision"])
def test_what_depends_on_the_losses_is_not_told(name: str) -> None:
    assert power.smallest_passing(metrics.get(name), 5000, -0.5) is None


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 100_000), margin=st.floats(0.005, 0.2))
def test_a_degradation_that_is_provable_passes_and_a_greater_one_does_not(
    n: int, margin: float
) -> None:
    greatest = power.provable(n, margin)
    if greatest is None:
        assert rates.of_difference(0, n * power.DISCORDANT, n)[1] > margin
        return
    assert power._upper(n, greatest, power.DISCORDANT) <= margin + 1e-9
    assert greatest <= margin
    above = greatest + 1e-4
    if above < min(margin, power.DISCORDANT):
        assert power._upper(n, above, power.DISCORDANT) > margin


def test_more_rows_prove_more() -> None:
    provable = [power.provable(n, 0.05) for n in (200, 500, 1000, 5000)]
    assert provable == sorted(provable, key=lambda p: p or -1)
    margins = [power.smallest_margin(n) for n in (0, 50, 500, 5000)]
    assert margins == sorted(margins, reverse=True)
    assert margins[0] == 1


def measure(value: float, low: float | None, high: float | None, **more: object) -> Measure:
    return Measure(
        name="m", value=value, low=low, high=high, n=400, limit=0.5,
        **{"verdict": Verdict.INCONCLUSIVE, **more},  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (measure(0.6, 0.4, 0.9), 1200),  # low is twice as far as the limit: four times the rows
        (measure(0.4, 0.3, 0.6), 1200),
        (measure(0.4, 0.3, 0.6, direction=Direction.AT_MOST), 1200),
        (measure(0.6, 0.5, 0.9), 1),
        (measure(0.5, 0.4, 0.6), None),
        (measure(0.6, None, None), None),
        (measure(0.6, 0.55, 0.7, verdict=Verdict.PASS), 0),
        (measure(0.6, 0.55, 0.7, verdict=Verdict.SKIP), 0),
    ],
)
def test_rows_that_would_settle_a_question(question: Measure, expected: int | None) -> None:
    assert power.rows_needed(question) == expected


def test_the_rows_asked_for_settle_it() -> None:
    accuracy = metrics.get("accuracy")

    def told(n: int) -> Measure:
        y = np.zeros(n, int)
        answers = (np.arange(n) >= 0.85 * n).astype(int)
        return absolute(accuracy, y, Predictions(answers, None, (0, 1)), 0.82, seed=1)

    needed = power.rows_needed(told(200))
    assert needed is not None
    assert told(200).verdict is Verdict.INCONCLUSIVE
    assert told(int((200 + needed) * 1.2)).verdict is Verdict.PASS

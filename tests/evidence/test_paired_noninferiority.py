"""The rule for a candidate beside production: worse ones rarely pass, equal ones surely."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import metrics
from seatrial.evidence import rates
from seatrial.evidence.paired import compare
from seatrial.metrics import Predictions
from seatrial.outcome import Direction, Verdict, judge

BETTER = 0.04
"""Share of rows that only the candidate has right; an equal one has as many only wrong."""

MARGIN = 0.05


def pearson(first: float, second: float, n: float, delta: float) -> float:
    """Pearson's chi-square of the three cells from those likeliest when delta is true.

    For a multinomial this is Rao's score statistic, so its root is Tango's, by another way: the
    likeliest rates are searched, not solved for.
    """
    low, high = max(0.0, -delta), (1 - delta) / 2

    def slope(rate: float) -> float:
        return (
            first / (rate + delta)
            + second / rate
            - 2 * (n - first - second) / (1 - 2 * rate - delta)
        )

    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    expected = n * np.array([low + delta, low, 1 - 2 * low - delta])
    observed = np.array([first, second, n - first - second])
    return float(np.sum((observed - expected) ** 2 / expected))


@settings(max_examples=80, deadline=None)
@given(
    first=st.integers(1, 40),
    second=st.integers(1, 40),
    rest=st.integers(1, 500),
)
def test_at_both_bounds_the_score_is_at_its_quantile(first: int, second: int, rest: int) -> None:
    n = first + second + rest
    for bound in rates.of_difference(first, second, n):
        assert pearson(first, second, n, bound) == pytest.approx(rates.Z**2, rel=1e-4)


def test_without_a_difference_it_is_the_test_of_mcnemar() -> None:
    # At delta 0 the score is (b - c) / root (b + c): McNemar (1947), Psychometrika 12.
    assert rates._score(25, 12, 300, 0.0) == pytest.approx(13 / math.sqrt(37))


@pytest.mark.parametrize(("n", "margin"), [(50, 0.05), (100, 0.02), (100, 0.1), (200, 0.05)])
def test_a_candidate_on_the_margin_passes_in_one_of_twenty_at_most_exactly(
    n: int, margin: float
) -> None:
    """All outcomes added up, whatever the discordance; 0.06 is what the law's steps add."""
    from scipy.special import gammaln  # noqa: PLC0415 - slow to import

    lost, won = np.arange(int(n * (margin + 0.3)))[:, None], np.arange(int(n * 0.3))[None, :]
    rest = np.maximum(n - lost - won, 0)
    passes = np.array(
        [[rates._score(b, c, n, margin) < -rates.Z for c in won[0]] for b in lost[:, 0]]
    )
    ways = gammaln(n + 1) - gammaln(lost + 1) - gammaln(won + 1) - gammaln(rest + 1)
    for better in (0.001, 0.005, 0.02, 0.05, 0.1):
        worse = better + margin
        log_probability = (
            ways
            + lost * math.log(worse)
            + won * math.log(better)
            + rest * math.log(1 - worse - better)
        )
        assert float(np.exp(log_probability[passes]).sum()) <= 0.06


def promoted(n: int, degradation: float, samples: int) -> tuple[float, float, float]:
    """Shares of candidates that ours passes, that ours fails, and that a point rule promotes."""
    rng = np.random.default_rng(n)
    worse = BETTER + degradation
    cells = rng.multinomial(n, [worse, BETTER, 1 - worse - BETTER], size=samples)
    pairs, counts = np.unique(cells[:, :2], axis=0, return_counts=True)
    found = np.zeros(3)
    for (lost, won), count in zip(pairs.tolist(), counts.tolist(), strict=True):
        low, high = rates.of_difference(lost, won, n)
        verdict = judge(low, high, MARGIN, Direction.AT_MOST)
        point = lost - won <= MARGIN * n
        found += count * np.array([verdict is Verdict.PASS, verdict is Verdict.FAIL, point])
    passed, failed, point = (found / samples).tolist()
    return passed, failed, point


def test_a_worse_candidate_is_rarely_promoted_and_an_equal_one_surely() -> None:
    passed, failed, point = promoted(500, 0.06, 4000)
    assert passed <= 0.03
    assert point >= 0.25
    assert failed >= 0.10
    passed, failed, _ = promoted(500, 0.0, 4000)
    assert passed >= 0.97
    assert failed == 0


@pytest.mark.parametrize("n", [200, 500, 2000])
def test_exactly_at_the_margin_either_error_is_about_one_in_twenty(n: int) -> None:
    passed, failed, point = promoted(n, MARGIN, 4000)
    assert passed <= 0.06
    assert failed <= 0.06
    assert point > 0.45


def test_more_rows_decide_more() -> None:
    equal = [promoted(n, 0.0, 1000)[0] for n in (200, 500, 1000)]
    assert equal == sorted(equal)
    bad = [promoted(n, 0.10, 1000)[1] for n in (200, 500, 1000)]
    assert bad == sorted(bad)


def test_words_as_classes_and_a_class_that_only_one_model_knows() -> None:
    y = np.array(["a", "b", "c", "a"] * 60)
    production = Predictions(np.where(y == "c", "a", y), None, ("a", "b"))
    candidate = Predictions(y.copy(), None, ("a", "b", "c"))
    for name in ("accuracy", "f1_macro", "balanced_accuracy"):
        measure = compare(metrics.get(name), y, candidate, production, 0.05, seed=1)
        assert measure.verdict is Verdict.PASS, name
        assert measure.high is not None
        assert measure.high < 0

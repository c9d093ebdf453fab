"""What is told beforehand is what the judging does afterwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial import extend, metrics
from seatrial.evidence import power, rates
from seatrial.evidence.absolute import absolute
from seatrial.metrics import Predictions
from seatrial.outcome import Direction, Measure, Verdict, judge


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


@pytest.mark.parametrize("name", ["r2", "neg_log_loss", "neg_brier_score"])
def test_what_depends_on_the_losses_is_not_told(name: str) -> None:
    assert power.smallest_passing(metrics.get(name), 5000, -0.5) is None
    assert not power.tells(metrics.get(name))


TOLD = [name for name in extend.names("metrics") if power.tells(metrics.get(name))]


@pytest.mark.slow
@pytest.mark.parametrize("name", TOLD)
def test_more_rows_never_prove_less(name: str) -> None:
    metric = metrics.get(name)
    least = [power.smallest_passing(metric, n, 0.8) for n in (40, 80, 160, 320, 640, 5120)]
    told = [1.1 if value is None else value for value in least]
    assert told == sorted(told, reverse=True)
    assert told[-1] == pytest.approx(0.8, abs=0.02)
    assert min(told) > 0.8
    easier = power.smallest_passing(metric, 320, 0.7)
    assert easier is not None
    assert easier < told[3]


@pytest.mark.parametrize("name", TOLD)
def test_rows_of_one_class_prove_nothing_about_the_other(name: str) -> None:
    if metrics.get(name).method != "count":
        assert power.smallest_passing(metrics.get(name), 50, 0.8, positives=0) is None
        assert power.smallest_passing(metrics.get(name), 50, 0.99, positives=2) is None
    assert power.smallest_passing(metrics.get(name), 0, 0.8) is None


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 2000), right=st.integers(0, 2000), times=st.integers(2, 5))
def test_the_same_rate_on_more_rows_proves_at_least_as_much(n: int, right: int, times: int) -> None:
    right = min(right, n)
    few, many = rates.of_one(right, n), rates.of_one(times * right, times * n)
    assert many[0] >= few[0] - 1e-12
    assert many[1] <= few[1] + 1e-12


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1_macro", "average_precision", "roc_auc"])
def test_a_model_seen_as_good_as_told_passes_and_a_worse_one_does_not(name: str) -> None:
    """About: what is told assumes errors of a usual kind; a hundredth is the tolerance."""
    metric = metrics.get(name)
    least = power.smallest_passing(metric, 600, 0.8)
    assert least is not None
    seen: list[tuple[float, bool]] = []
    for skill in np.linspace(1, 3, 60):
        rng = np.random.default_rng(5)
        y = np.arange(600) % 2
        p = 1 / (1 + np.exp(-skill * (rng.normal(size=600) + skill * (y - 0.5))))
        answers = Predictions((p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1))
        measure = absolute(metric, y, answers, 0.8, seed=1)
        seen.append((measure.value or 0.0, measure.verdict is Verdict.PASS))
    assert all(passed for value, passed in seen if value > least + 0.01)
    assert not any(passed for value, passed in seen if value < least - 0.01)


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


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 50_000), more=st.integers(1, 50_000), discordant=st.floats(0.01, 0.5))
def test_more_paired_rows_rule_out_more(n: int, more: int, discordant: float) -> None:
    few = power.smallest_margin(n, discordant=discordant)
    assert power.smallest_margin(n + more, discordant=discordant) <= few + 1e-12


@settings(max_examples=20, deadline=None)
@given(margin=st.floats(0.005, 0.3), discordant=st.floats(0.01, 0.3))
def test_the_rows_that_prove_a_margin_are_the_fewest(margin: float, discordant: float) -> None:
    rows = power.rows_to_prove(margin, discordant=discordant)
    assert power.smallest_margin(rows, discordant=discordant) <= margin
    assert power.smallest_margin(rows - 1, discordant=discordant) > margin


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


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 400), limit=st.floats(0.5, 0.995), hits=st.booleans())
def test_where_all_rows_agree_the_rows_asked_for_are_the_fewest(
    n: int, limit: float, *, hits: bool
) -> None:
    def judged(rows: int) -> Measure:
        low, high = rates.of_one(rows if hits else 0, rows)
        question = Measure(
            name="m", value=float(hits), low=low, high=high, n=rows,
            limit=limit if hits else 1 - limit,
            direction=Direction.AT_LEAST if hits else Direction.AT_MOST,
        )  # fmt: skip
        settled = judge(low, high, question.limit or 0.0, question.direction)
        return replace(question, verdict=settled)

    needed = power.rows_needed(judged(n))
    assert needed is not None
    assert judged(n + needed).verdict is Verdict.PASS
    if needed > 1:
        assert judged(n + needed - 1).verdict is Verdict.INCONCLUSIVE


def test_a_value_of_0_between_its_bounds_is_no_end() -> None:
    equal = Measure(
        name="degradation.accuracy", value=0.0, low=-0.02, high=0.02, limit=0.01, n=400,
        direction=Direction.AT_MOST, verdict=Verdict.INCONCLUSIVE,
    )  # fmt: skip
    assert power.rows_needed(equal) == 1200
    # a greatest fall is cut off at 0, and its rows spread
    assert power.rows_needed(replace(equal, low=0.0)) == 1200


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (measure(0.6, 0.4, 0.9), "1200 more labelled rows would settle it"),
        (measure(0.5, 0.4, 0.6), "it lies on its limit"),
        (measure(0.6, None, None), "so few labelled rows give no bound"),
        (measure(0.6, 0.55, 0.7, verdict=Verdict.PASS), ""),
        (Measure(name="m", value=None, verdict=Verdict.INCONCLUSIVE), "nothing was measured"),
    ],
)
def test_what_would_settle_it_in_words(question: Measure, words: str) -> None:
    assert power.settles(question).startswith(words)
    assert bool(power.settles(question)) == bool(words)

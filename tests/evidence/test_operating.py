"""What the plan says of a rule is what the rule does."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from seatrial.evidence import operating
from seatrial.evidence.operating import Row, first_rollback, row, said, simulated
from seatrial.evidence.watching import Mode, Rule, harm


def test_the_balanced_rule_near_its_margin() -> None:
    rows = {each.degradation: each for each in operating.operating(Rule())}
    assert [*rows] == [0.0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08]
    # the full study (benchmarks/evidence_watch.py), which looks more often
    for degradation, share in ((0.02, 0.003), (0.03, 0.049), (0.04, 0.262), (0.05, 0.94)):
        found = rows[degradation]
        assert found.share_low - 0.03 <= share <= found.share_high + 0.03
    assert rows[0.0].share == 0
    assert rows[0.06].share == rows[0.08].share == 1
    for one, other in pairwise(rows.values()):
        assert one.share <= other.share
    assert rows[0.0].median_labels is None
    assert rows[0.08].median_labels is not None
    assert 200 < rows[0.08].median_labels < 500


def test_modes_are_what_they_are_called() -> None:
    modes: tuple[Mode, ...] = ("strict", "balanced", "eager")
    shares = [
        [each.share for each in operating.operating(Rule(mode=mode), labels=2000)] for mode in modes
    ]
    for strict, balanced, eager in zip(*shares, strict=True):
        assert strict <= balanced <= eager + 0.02


def test_the_same_seed_says_the_same() -> None:
    assert operating.operating(Rule(), labels=500) == operating.operating(Rule(), labels=500)


def test_too_few_labels_roll_nothing_back() -> None:
    rows = operating.operating(Rule(), labels=50)
    assert {each.share for each in rows} == {0.0}
    assert said(Rule(), rows)[0].startswith("rolled back within 50 labels: 0 % of versions 0.03")


@pytest.mark.parametrize("rule", [Rule(margin=0.9), Rule(bound=4.0, margin=0.3, counted=False)])
def test_any_margin_and_bound(rule: Rule) -> None:
    rows = operating.operating(rule, labels=3000)
    assert rows[0].share == 0
    assert rows[4].degradation == rule.margin
    assert all(each.degradation <= rule.bound for each in rows)


def test_one_bucket_is_enough() -> None:
    rows = operating.operating(Rule(buckets=1), labels=1000)
    assert rows[-1].share > 0.9


@pytest.mark.parametrize("mode", ["balanced", "eager", "strict"])
def test_the_shortcut_rolls_back_at_the_same_look(mode: Mode) -> None:
    rule = Rule(mode=mode, buckets=6, min_labels=50)
    rng = np.random.default_rng(7)
    buckets = np.arange(60) * 6 // 60
    worse_by = np.where(buckets < 2, 0.0, 0.09)
    steps = simulated(rng, 30, np.full(60, 10), worse_by, 0.12)
    expected = []
    for watch in steps:
        counts = np.zeros((6, 3))
        found = len(watch)
        for look, step in enumerate(watch):
            counts[buckets[look]] += step
            if harm(counts, rule).rolls_back:
                found = look
                break
        expected.append(found)
    assert first_rollback(steps, buckets, rule).tolist() == expected
    assert min(expected) < 60


@pytest.mark.parametrize("degradation", [0.0, 0.05, 0.08, 0.2, 0.99])
def test_simulated_labels_are_as_much_worse_as_said(degradation: float) -> None:
    steps = simulated(np.random.default_rng(1), 100, np.full(20, 100), degradation, 0.08)
    assert steps.min() >= 0
    assert (steps.sum(axis=-1) == 100).all()
    mean = (steps[..., 2] - steps[..., 0]).sum() / steps.sum()
    assert mean == pytest.approx(degradation, abs=0.004)


def test_rollbacks_before_the_onset_catch_nothing() -> None:
    found = row(0.1, np.array([0, 2, 3, 4]), np.array([10, 20, 30, 40]), onset=20)
    assert (found.share, found.median_labels) == (0.5, 10)


def test_bounds_of_the_median_are_those_of_the_binomial() -> None:
    ends = np.arange(1, 201)
    for n in (0, 4, 5, 20, 151):
        found = row(0.1, np.array([*range(n), len(ends)]), ends)
        if n < 5:  # all of four lie above the median in one case of sixteen
            assert found.median_low is found.median_high is None
            continue
        assert found.median_low is not None
        assert found.median_high == n + 1 - found.median_low
        above = [math.comb(n, k) / 2**n for k in range(found.median_low + 1)]
        assert sum(above[:-1]) <= 0.05 < sum(above)


def made(degradation: float, share: float, low: float, median: int | None = 500) -> Row:
    return Row(
        degradation=degradation,
        labels=20_000,
        share=share,
        share_low=low,
        share_high=1.0,
        median_labels=median,
        median_low=median,
        median_high=median,
    )


def test_the_lines_of_the_plan() -> None:
    rows = [
        made(0.02, 0.001, 0.0),
        made(0.03, 0.035, 0.03),
        made(0.04, 0.26, 0.24),
        made(0.05, 0.91, 0.89),
        made(0.06, 1.0, 0.99, 1050),
        made(0.08, 1.0, 0.99),
    ]
    assert said(Rule(), rows) == [
        (
            "rolled back within 20 000 labels: 3.5 % of versions 0.03 worse, 26 % at 0.04,"
            " 91 % at 0.05, certain beyond 0.06"
        ),
        "a version 0.08 worse is rolled back after about 500 labels (median)",
        (
            "the guarantee: a version never more than 0.025 worse is rolled back with a probability"
            " of at most 5 %, however often one looks"
        ),
    ]


def test_the_plan_says_who_shares_alpha_and_promises_nothing_else() -> None:
    lines = said(Rule(tests=20, mode="strict"), [made(0.08, 0.0, 0.0, None)])
    assert lines == [
        "rolled back within 20 000 labels: 0 % of versions 0.08 worse",
        (
            "the guarantee: a version never more than 0.05 worse is rolled back with a probability"
            " of at most 5 % over all 20 metrics and slices, however often one looks"
        ),
    ]

"""When a watched version is rolled back: rarely by chance, surely if it does harm."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.evidence import bets
from seatrial.evidence.operating import first_rollback, simulated
from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import Judged, Mode, Rule, harm, judge, unfolded
from seatrial.outcome import Direction, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

MODES: tuple[Mode, ...] = ("eager", "balanced", "strict")
SIX = Rule(buckets=6)
small_counts = st.lists(
    st.lists(st.integers(0, 300), min_size=3, max_size=3), min_size=6, max_size=6
).map(np.array)


def watched(rule: Rule, *buckets: tuple[int, int, int]) -> Trail:
    """A trail with so many better, alike and worse labels in each bucket."""
    trail = Trail.empty(rule)
    for bucket, counts in enumerate(buckets):
        if any(counts):
            trail.add(np.repeat([-rule.bound, 0.0, rule.bound], counts), bucket)
    return trail


def judged(*buckets: tuple[int, int, int], **rule: Any) -> Judged:
    """What the rule says of them."""
    asked = Rule(**rule)
    return judge("error", watched(asked, *buckets), asked)


def test_an_equal_version_passes() -> None:
    found = judged((40, 920, 40))
    assert found.measure.verdict is Verdict.PASS
    assert found.measure.value == 0
    assert found.measure.low is not None
    assert found.measure.high is not None
    assert found.measure.low < 0 < found.measure.high < 0.05 == found.measure.limit
    assert found.measure.direction is Direction.AT_MOST
    assert found.more_labels == 0


def test_a_worse_version_is_rolled_back() -> None:
    found = judged((4, 340, 56))
    assert found.measure.verdict is Verdict.FAIL
    assert found.window_start == 0
    assert found.window_estimate == found.measure.value == 0.13
    assert found.log_e["worse_than_half_margin"] >= found.bar == math.log(20)


def test_a_late_decay_is_not_hidden_by_a_good_beginning() -> None:
    good, bad = (17, 383, 17), (4, 353, 60)
    found = judged(*[good] * 24, bad)
    assert found.measure.verdict is Verdict.FAIL
    assert found.window_start == 24
    assert found.measure.value is not None
    assert found.measure.value < 0.01
    assert found.window_estimate > 0.05


def test_the_window_begins_with_its_first_label() -> None:
    assert judged((0, 0, 0), (0, 0, 0), (4, 340, 56)).window_start == 2


def test_evidence_without_an_estimate_beyond_the_margin_rolls_nothing_back() -> None:
    # surely worse than 0.025, surely not worse than 0.05
    found = judged((400, 18_880, 720 + 400))
    assert found.log_e["worse_than_half_margin"] > found.bar
    assert found.measure.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("worse", "verdicts"),
    [
        (40, ("pass", "pass", "pass")),
        (96, ("fail", "inconclusive", "inconclusive")),
        (110, ("fail", "fail", "inconclusive")),
        (180, ("fail", "fail", "fail")),
    ],
)
def test_modes_differ_in_what_must_be_proven(worse: int, verdicts: tuple[str, ...]) -> None:
    found = [judged((40, 960 - worse, worse), mode=mode) for mode in MODES]
    assert tuple(each.measure.verdict.value for each in found) == verdicts


@pytest.mark.parametrize("mode", MODES)
def test_a_few_labels_decide_nothing(mode: Mode) -> None:
    assert judged((0, 0, 99), mode=mode).measure.verdict is Verdict.INCONCLUSIVE
    assert judged((0, 0, 99), mode=mode).more_labels == 1
    assert judged((0, 0, 100), mode=mode).measure.verdict is Verdict.FAIL
    assert judged((99, 0, 0), mode=mode).measure.verdict is Verdict.INCONCLUSIVE
    assert judged((100, 0, 0), mode=mode).measure.verdict is Verdict.PASS


def test_nothing_is_said_of_no_labels() -> None:
    found = judged()
    assert found.measure.verdict is Verdict.INCONCLUSIVE
    assert (found.measure.value, found.measure.low, found.measure.high) == (None, -1.0, 1.0)
    assert found.more_labels is None
    assert found.reason == "no labelled request yet"


def test_what_is_no_difference_has_no_bound_below_0() -> None:
    rule = Rule(margin=0.2, mode="strict")
    trail = Trail.empty(rule)
    trail.add(np.repeat([0.0, 1.0], [18, 2]), 0)
    assert (judge("d", trail, rule).measure.low or 0.0) < 0
    told = judge("d", trail, rule, level="share of answers", counted="compared requests")
    assert told.measure.low == 0.0
    assert told.reason.startswith("share of answers 0.1 on 20 compared requests (between 0 and ")


def test_many_tests_ask_for_more_evidence_of_harm_but_not_of_its_absence() -> None:
    bad, good = (4, 170, 26), (40, 920, 40)
    assert judged(bad).measure.verdict is Verdict.FAIL
    assert judged(bad, tests=1000).measure.verdict is Verdict.INCONCLUSIVE
    assert judged(good, tests=1000).measure.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("buckets", "reason"),
    [
        (
            [(40, 920, 40)],
            "no difference on 1000 labelled requests (at most 0.028, margin 0.05)",
        ),
        (
            [(60, 900, 40)],
            "0.02 better on 1000 labelled requests (at most 0.0106, margin 0.05)",
        ),
        (
            [(2, 91, 7)],
            (
                "0.05 worse on 100 labelled requests (between -0.0514 and 0.163, margin 0.05);"
                " more like these will not settle it"
            ),
        ),
        (
            [(2, 90, 8)],
            (
                "0.06 worse on 100 labelled requests (between -0.044 and 0.177, margin 0.05);"
                " about 720 more would settle it"
            ),
        ),
        (
            [(4, 340, 56)],
            "0.13 worse on 400 labelled requests (at least 0.0739, margin 0.05)",
        ),
        (
            [(40, 920, 40), (0, 0, 0), (4, 340, 56)],
            "0.13 worse on 400 labelled requests since hour 2 (at least 0.0581, margin 0.05)",
        ),
    ],
)
def test_the_reason_is_a_sentence(buckets: list[tuple[int, int, int]], reason: str) -> None:
    assert judged(*buckets).reason == reason


def test_buckets_may_be_longer_than_an_hour() -> None:
    trail = watched(Rule(), (40, 920, 40), (4, 340, 56))
    assert " since hour 3.5 " in judge("error", trail, Rule(), bucket_hours=3.5).reason


def test_what_is_surely_beyond_the_margin_needs_no_likely_onset() -> None:
    # there is most evidence since the beginning, when it was 0.04 worse; but lately it is worse
    counts = np.zeros((48, 3))
    counts[:24], counts[24:26] = (80, 3680, 240), (2, 355, 43)
    since = bets.onsets(bets.suffixes(counts), Rule().values, (0.025,), bets.purses(48))
    assert since.argmax() == 0
    found = harm(counts, Rule())
    assert found.rolls_back
    assert found.start == 24


def test_a_forecast_is_about_what_goes_on_since_the_onset() -> None:
    found = judged((14, 172, 14), (0, 60, 12))
    assert found.measure.verdict is Verdict.INCONCLUSIVE
    assert found.window_start == 1
    assert found.more_labels == pytest.approx(50, abs=10)
    assert judged((14, 172, 14), (0, 60, 12), (0, 33, 7)).measure.verdict is not Verdict.FAIL
    assert judged((14, 172, 14), (0, 60, 12), (0, 50, 10)).measure.verdict is Verdict.FAIL


@settings(deadline=None)
@given(worse=st.integers(0, 60), n=st.integers(100, 400))
def test_what_would_settle_it_settles_it(worse: int, n: int) -> None:
    rule = Rule()
    found = judged((4, n, worse))
    if found.measure.verdict is Verdict.INCONCLUSIVE and found.more_labels:
        counts = np.zeros((48, 3))
        counts[0] = np.array([4, n, worse]) * (1 + found.more_labels / (n + 4 + worse))
        passes = bets.whole(counts[0][::-1], rule.values, -rule.margin) >= math.log(20)
        assert passes or harm(counts, rule).rolls_back


@given(counts=small_counts)
def test_what_strict_rolls_back_every_mode_does(counts: np.ndarray) -> None:
    falls = {mode: bool(harm(counts, replace(SIX, mode=mode)).rolls_back) for mode in MODES}
    assert falls["strict"] <= min(falls.values())


@settings(deadline=None)
@given(counts=small_counts)
def test_a_lower_level_has_more_evidence_against_it(counts: np.ndarray) -> None:
    rows = [tuple(int(each) for each in row) for row in counts]
    found = judged(*rows, buckets=6)  # type: ignore[arg-type]
    e = found.log_e
    assert e["worse"] >= e["worse_than_half_margin"] - 1e-9 >= e["worse_than_margin"] - 2e-9
    if found.measure.verdict is Verdict.FAIL:
        assert bets.low_since_onset(counts, SIX.values, SIX.bar) >= SIX.level - 1e-9
        assert found.window_estimate > SIX.level


@given(counts=small_counts, begun=st.integers(1, 5))
def test_buckets_that_have_not_begun_may_be_left_out(counts: np.ndarray, begun: int) -> None:
    counts = np.where(np.arange(6)[:, None] < begun, counts, 0.0)
    short, long = harm(counts[:begun], SIX), harm(counts, SIX)
    assert bool(short.rolls_back) == bool(long.rolls_back)
    assert int(short.start) == int(long.start)


@pytest.mark.parametrize("mode", MODES)
def test_the_guarantee_holds_at_its_edge_however_often_one_looks(mode: Mode) -> None:
    rule = Rule(mode=mode)
    looks = 500
    sizes, buckets = np.full(looks, 10), np.arange(looks) * 48 // looks
    rng = np.random.default_rng(5)
    steps = simulated(rng, 500, sizes, rule.level, 0.08)
    assert (first_rollback(steps, buckets, rule) < looks).mean() <= rule.alpha


def never(e: np.ndarray, last: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return np.full(len(e), fill_value=False)


def while_poor(e: np.ndarray, last: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return e < math.log(5)


def after_a_loss(e: np.ndarray, last: np.ndarray) -> np.ndarray:  # noqa: ARG001
    after: np.ndarray = last != 2
    return after


@pytest.mark.parametrize("wild", [never, while_poor, after_a_loss])
def test_labels_may_depend_on_the_past(
    wild: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> None:
    """The mean of the next label is the margin, but its spread and its bucket follow the past."""
    rng = np.random.default_rng(17)
    rule = Rule(mode="strict", buckets=4, min_labels=1, margin=0.1)
    watches = 400
    counts = np.zeros((watches, 4, 3))
    e, last, crossed = np.zeros(watches), np.ones(watches, dtype=int), np.zeros(watches, dtype=bool)
    for _ in range(500):
        better = np.where(wild(e, last), 0.45, 0.0)
        drawn = rng.random(watches)
        last = np.where(drawn < better, 0, np.where(drawn < 2 * better + 0.1, 2, 1))
        # an adversary lets the evidence of the last bucket grow while it is lucky
        bucket = np.where(e > 0.5, 3, rng.integers(0, 4, watches))
        counts[np.arange(watches), bucket, last] += 1
        logs = bets.onsets(bets.suffixes(counts), rule.values, (0.1,), bets.purses(4))
        e = bets.together(logs[..., 0])
        crossed |= e >= rule.bar
    assert crossed.mean() <= rule.alpha


@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_a_version_at_the_margin_is_seldom_passed(spread: float) -> None:
    rng = np.random.default_rng(23)
    rule = Rule()
    ends = np.unique(np.geomspace(100, 5000, 100).astype(int))
    shares = [spread, 0.95 - 2 * spread, spread + 0.05]
    steps = np.stack([rng.multinomial(size, shares, 1000) for size in np.diff(ends, prepend=0)])
    counts = np.cumsum(steps, axis=0).astype(np.float64)
    passed = bets.whole(counts[..., ::-1], rule.values, -rule.margin) >= math.log(20)
    assert passed.any(axis=0).mean() <= 0.05


def test_labels_that_come_late_and_mixed_say_the_same() -> None:
    rng = np.random.default_rng(29)
    d = rng.choice([-1.0, 0.0, 1.0], 900, p=[0.03, 0.85, 0.12])
    buckets = np.arange(900) * 48 // 900
    in_order, mixed = Trail.empty(Rule()), Trail.empty(Rule())
    in_order.add(d, buckets)
    for place in rng.permutation(900):
        mixed.add(float(d[place]), int(buckets[place]))
    assert judge("error", mixed, Rule()) == judge("error", in_order, Rule())


@pytest.mark.parametrize(
    ("mean", "verdict"), [(0.10, "pass"), (0.18, "inconclusive"), (0.25, "fail"), (0.6, "fail")]
)
def test_strict_answers_whether_a_level_is_exceeded(mean: float, verdict: str) -> None:
    rule = Rule(mode="strict", margin=0.18, counted=False)
    trail = Trail.empty(rule)
    trail.add(np.random.default_rng(2).beta(2 * mean, 2 - 2 * mean, 600))
    found = judge("loss", trail, rule, level="mean loss")
    assert found.measure.verdict.value == verdict
    assert found.reason.startswith("mean loss 0.")
    assert "limit 0.18" in found.reason


@pytest.mark.parametrize("mean", [0.18, 0.9])
def test_a_level_that_is_just_kept_is_seldom_said_to_be_exceeded(mean: float) -> None:
    rule = Rule(mode="strict", margin=mean)
    rng = np.random.default_rng(31)
    looks = 200
    steps = np.zeros((500, looks, 3), dtype=int)
    steps[..., 2] = rng.binomial(10, mean, (500, looks))
    steps[..., 1] = 10 - steps[..., 2]
    found = first_rollback(steps, np.arange(looks) * 48 // looks, rule)
    assert (found < looks).mean() <= rule.alpha


def test_answers_that_never_should_differ() -> None:
    rule = Rule(mode="strict", margin=0.0)
    assert judge("differs", watched(rule, (0, 990, 10)), rule).measure.verdict is Verdict.FAIL
    assert judge("differs", watched(rule, (0, 1000, 0)), rule).more_labels is None


def test_losses_with_another_bound() -> None:
    rule = Rule(bound=4.0, margin=0.2, counted=False)
    trail = Trail.empty(rule)
    trail.add(np.clip(np.random.default_rng(1).normal(0.5, 0.6, 500), -4, 4), 7)
    found = judge("squared error", trail, rule)
    assert found.measure.verdict is Verdict.FAIL
    assert found.measure.low is not None
    assert 0.2 < found.measure.low < 0.5


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"margin": -0.1}, "margin of -0.1"),
        ({"margin": 1.0}, "margin of 1"),
        ({"margin": math.nan}, "margin of nan"),
        ({"bound": math.inf}, "inf"),
        ({"alpha": 0.0}, "alpha"),
        ({"tests": 0}, "tests must be at least 1"),
        ({"buckets": 0}, "buckets"),
        ({"min_labels": 0}, "min_labels"),
    ],
)
def test_a_rule_that_no_watch_can_follow_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Rule(**wrong)


@pytest.mark.parametrize("other", [Rule(bound=2.0), Rule(counted=False), Rule(buckets=6)])
def test_a_trail_of_another_form_is_not_judged(other: Rule) -> None:
    with pytest.raises(ValueError, match="not kept for this rule"):
        judge("error", Trail.empty(other), Rule())


@settings(max_examples=30, deadline=None)
@given(small_counts)
def test_unfolded_it_ends_with_what_is_known_and_begins_with_the_first_labels(
    counts: np.ndarray,
) -> None:
    trail = watched(SIX, *counts.tolist())
    told = [*unfolded("error", trail, SIX)]
    there = [bucket for bucket, row in enumerate(counts) if row.any()]
    assert [bucket for bucket, _ in told] == there
    if not there:
        return
    assert told[-1][1] == judge("error", trail, SIX)
    first = watched(SIX, *counts.tolist()[: there[0] + 1])
    assert told[0][1] == judge("error", first, SIX)


def test_a_trail_of_another_form_is_not_unfolded() -> None:
    with pytest.raises(ValueError, match="not kept for this rule"):
        [*unfolded("error", Trail.empty(SIX), replace(SIX, counted=False))]

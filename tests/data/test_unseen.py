"""What the reference never had counts by itself, and what it only did not meet does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.data.drift.divergence import MEASURES, Counted
from seatrial.data.drift.judging import judge
from seatrial.data.drift.limits import Limits
from seatrial.data.drift.pairs import Pair
from seatrial.data.drift.unseen import Unseen, estimate, settling, unseen
from seatrial.data.shape import ColumnProfile
from seatrial.outcome import Verdict

KL = MEASURES["kl"]
UNORDERED = [measure for measure in MEASURES.values() if not measure.numbers_only]


def test_nothing_new() -> None:
    assert unseen(Counted(np.array([3.0, 0.0]), np.array([2.0, 1.0]))) is None


def test_new_values_and_missing_ones_are_new_together() -> None:
    counted = Counted(np.array([5.0, 3.0]), np.array([9.0, 0.0]), missing=(2, 0))
    assert unseen(counted) == Unseen(new=5, now=10, unmet=0, before=9)
    counted = Counted(np.array([5.0, 3.0]), np.array([9.0, 0.0]), missing=(2, 1))
    assert unseen(counted) == Unseen(new=3, now=10, unmet=1, before=10)


@pytest.mark.parametrize(
    ("new", "now", "unmet", "before"), [(50, 200, 0, 500), (3, 40, 2, 90), (40, 40, 0, 40)]
)
def test_the_value_is_that_of_the_two_shares(new: int, now: int, unmet: int, before: int) -> None:
    p, q = new / now, (unmet + 0.5) / (before + 1)
    expected = p * math.log(p / q)
    expected += (1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0
    found = estimate(KL, Unseen(new, now, unmet, before), 0.1, 0.05)
    assert found.value == pytest.approx(expected, rel=1e-3)


@given(
    now=st.integers(1, 5000),
    before=st.integers(1, 5000),
    part=st.floats(0, 1),
    unmet=st.integers(0, 5),
)
def test_the_bounds_lie_around_the_value(now: int, before: int, part: float, unmet: int) -> None:
    found = Unseen(max(1, round(part * now)), now, min(unmet, before), before)
    for each in UNORDERED:
        sure, surer = (estimate(each, found, 0.1, alpha) for alpha in (0.05, 0.0001))
        assert 0 <= surer.low <= sure.low <= sure.value <= sure.high < math.inf


def test_more_rows_settle_it_or_the_reference_is_too_small() -> None:
    near = Unseen(15, 300, 0, 100_000)
    found = settling(KL, near, 0.1, 0.001)
    assert found.rows is not None
    more = Unseen(15 * (1 + found.rows / 300), 300 + found.rows, 0, 100_000)
    assert estimate(KL, near, 0.1, 0.001).low < 0.1 < estimate(KL, more, 0.1, 0.001).low
    small = settling(KL, Unseen(500, 10_000, 0, 300), 0.1, 0.001)
    assert (small.rows, small.larger) == (None, True)


def test_rare_categories_that_were_not_met_raise_no_alarm() -> None:
    random = np.random.default_rng(8)
    weights = 1 / np.arange(1, 61) ** 1.3
    weights /= weights.sum()
    failed = 0
    for _ in range(100):
        before, now = random.multinomial(400, weights), random.multinomial(2000, weights)
        met = before > 0
        counted = Counted(
            np.append(now[met], now[~met].sum()).astype(float), np.append(before[met], 0.0)
        )
        found = unseen(counted)
        failed += found is not None and estimate(KL, found, 0.1, 0.05).low > 0.1
    assert failed == 0


@pytest.mark.parametrize(
    ("known", "now", "new", "verdict"),
    [
        (5, 1988, 2012, Verdict.INCONCLUSIVE),
        (50, 180, 20, Verdict.INCONCLUSIVE),
        (50, 1988, 2012, Verdict.FAIL),
        (100_000, 49, 1, Verdict.PASS),
        (4_000, 3_980, 20, Verdict.PASS),
    ],
)
def test_a_small_reference_is_no_excuse_for_what_is_new(
    known: int, now: int, new: int, verdict: Verdict
) -> None:
    def airlines(counted: int, other: int = 0) -> ColumnProfile:
        return ColumnProfile(
            name="c", kind="string", values=("AA",), counts=(counted,), other=other
        )

    drift = judge([Pair(airlines(known), airlines(now, new))], Limits(), "d")
    assert drift.measures[0].verdict is verdict

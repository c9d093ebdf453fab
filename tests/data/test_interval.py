"""The estimator keeps its promises: coverage, no false alarm, sensible bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.data.interval import kl, merging, most_bins

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=25)


def _merged_draws(
    rng: np.random.Generator, p: NDArray[np.float64], q: NDArray[np.float64], n: int, m: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    reference = rng.multinomial(m, q).astype(float)
    current = rng.multinomial(n, p).astype(float)
    places = merging(reference, most_bins(n, 0.1), ordered=True)
    return (
        np.bincount(places, current).astype(np.float64),
        np.bincount(places, reference).astype(np.float64),
    )


@pytest.mark.parametrize("n", [50, 100, 200, 500, 2000])
def test_no_false_alarm_without_drift(n: int) -> None:
    rng = np.random.default_rng(n)
    q = np.full(20, 0.05)
    lows = [kl(*_merged_draws(rng, q, q, n, 20_000)).low for _ in range(200)]
    assert sum(low > 0.1 for low in lows) == 0


@pytest.mark.parametrize(("n", "m"), [(1000, 20_000), (3000, 3000)])
def test_bounds_cover_the_truth(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    q = np.full(20, 0.05)
    tilt = np.exp(np.linspace(-0.8, 0.8, 20))
    p = tilt / tilt.sum()
    truth = float((p * np.log(p / q)).sum())
    found = [
        kl(rng.multinomial(n, p).astype(float), rng.multinomial(m, q).astype(float))
        for _ in range(600)
    ]
    assert 0.09 < truth < 0.13
    assert np.mean([e.low > truth for e in found]) < 0.085
    assert np.mean([e.high < truth for e in found]) < 0.085
    assert np.mean([e.value for e in found]) == pytest.approx(truth, rel=0.05)


@given(COUNTS, st.data())
def test_bounds_enclose_the_value(current: list[int], data: st.DataObject) -> None:
    size = len(current)
    reference = data.draw(st.lists(st.integers(0, 500), min_size=size, max_size=size))
    current[0] += 1
    reference[-1] += 1
    found = kl(np.array(current, float), np.array(reference, float))
    assert 0 <= found.low <= found.value <= found.high < np.inf


@given(COUNTS, st.integers(1, 5))
def test_equal_shares_are_no_divergence(counts: list[int], times: int) -> None:
    counts[0] += 1
    same = np.array(counts, float)
    assert kl(times * same, same).high == 0


def test_large_samples_agree_with_small_formula() -> None:
    p, q = np.array([4e8, 6e8]), np.array([5e8, 5e8])
    found = kl(p, q)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.4 * np.log(0.8) + 0.6 * np.log(1.2), rel=1e-4)


@given(
    counts=st.lists(st.integers(0, 50), min_size=1, max_size=40),
    most=st.integers(2, 20),
    ordered=st.booleans(),
)
def test_merging_keeps_bins_together(counts: list[int], most: int, *, ordered: bool) -> None:
    places = merging(np.array(counts, float), most, ordered=ordered)
    assert len(set(places.tolist())) == min(most, len(counts))
    if ordered:
        assert (np.diff(places) >= 0).all()

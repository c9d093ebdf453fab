"""Each measure is what its definition says, whatever the counts."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, ks_2samp, wasserstein_distance

from seatrial.data.drift.divergence import MEASURES, Counted
from seatrial.data.drift.measures import formulas
from seatrial.data.drift.measures.lengths import lengths

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Counts = NDArray[np.float64]

MANY = 1e9
"""With so many rows chance, its correction and the smoothing are beyond the last digit tested."""

P = np.array([0.1, 0.2, 0.3, 0.4])
Q = np.array([0.25, 0.25, 0.4, 0.1])
EDGES = np.array([-1.0, 0.5, 1.0])
ORDERLESS = [word for word, measure in MEASURES.items() if not measure.numbers_only]

counts = st.lists(st.integers(0, 3000), min_size=1, max_size=25)


def _found(word: str, p: Counts, q: Counts, **more: object) -> float:
    counted = Counted(MANY * p, 3 * MANY * q, **more)  # type: ignore[arg-type]
    return MEASURES[word].estimate(counted, 0.1, 0.05).value


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("kl", entropy(P, Q)),
        ("psi", entropy(P, Q) + entropy(Q, P)),
        ("jensen_shannon", jensenshannon(P, Q)),
        ("total_variation", 0.3),
        ("chi_square", 0.09 + 0.01 + 0.025 + 0.9),
    ],
)
def test_definitions(word: str, expected: float) -> None:
    assert _found(word, P, Q) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "formula",
    [
        formulas.kl,
        formulas.psi,
        formulas.jensen_shannon,
        formulas.chi_square,
        partial(formulas.chi_square, rare=0.3),
    ],
)
def test_derivatives(formula: Callable[[Counts, Counts], formulas.Terms]) -> None:
    step, terms = 1e-5, formula(P, Q)
    up, down = formula(P + step, Q), formula(P - step, Q)
    right, left = formula(P, Q + step), formula(P, Q - step)
    assert (up.value - down.value) / (2 * step) == pytest.approx(terms.p)
    assert (right.value - left.value) / (2 * step) == pytest.approx(terms.q)
    assert (up.p - down.p) / (2 * step) == pytest.approx(terms.pp)
    assert (right.p - left.p) / (2 * step) == pytest.approx(terms.pq)
    assert (right.q - left.q) / (2 * step) == pytest.approx(terms.qq)


def test_kl_by_hand() -> None:
    found = _found("kl", np.array([0.4, 0.6]), np.array([0.5, 0.5]))
    assert found == pytest.approx(0.4 * math.log(0.8) + 0.6 * math.log(1.2), rel=1e-4)


def test_wasserstein_is_that_of_the_middles() -> None:
    middles = np.array([-2.5, -0.25, 0.75, 1.5])  # the outer bins as wide as their neighbours
    expected = wasserstein_distance(middles, middles, P, Q) / 2.0
    assert _found("wasserstein", P, Q, edges=EDGES, deviation=2.0) == pytest.approx(expected)


def test_wasserstein_of_few_values_is_exact() -> None:
    edges = np.array([np.nextafter(1.0, 0.0), 1.0, 2.0, 10.0])
    p, q = np.array([0.0, 0.2, 0.3, 0.5, 0.0]), np.array([0.0, 0.5, 0.3, 0.2, 0.0])
    expected = wasserstein_distance([1, 2, 10], [1, 2, 10], p[1:4], q[1:4]) / 4
    found = _found("wasserstein", p, q, edges=edges, deviation=4.0)
    assert found == pytest.approx(expected, rel=1e-4)


def test_distances_from_bins_are_near_those_of_all_values() -> None:
    rng = np.random.default_rng(5)
    before, now = rng.normal(size=100_000), rng.normal(0.4, 1.1, 50_000)
    edges = np.quantile(before, np.arange(1, 20) / 20)
    binned = [
        np.bincount(np.searchsorted(edges, x), minlength=20).astype(np.float64)
        for x in (now, before)
    ]
    counted = Counted(binned[0], binned[1], edges, deviation=float(before.std()))
    ks = MEASURES["kolmogorov_smirnov"].estimate(counted, 0.1, 0.05)
    everything = ks_2samp(now, before).statistic
    assert everything - 0.02 < ks.value <= everything
    moved = MEASURES["wasserstein"].estimate(counted, 0.1, 0.05)
    expected = wasserstein_distance(now, before) / before.std()
    assert 0.9 * expected < moved.value < expected


def test_missing_values_are_a_bin_of_their_own() -> None:
    now, before = np.array([400.0, 400.0]) * 1000, np.array([500.0, 500.0]) * 1000
    counted = Counted(now, before, np.array([0.0]), (200_000, 0), 1.0)
    found = {w: m.estimate(counted, 0.1, 0.05).value for w, m in MEASURES.items()}
    assert found["total_variation"] == pytest.approx(0.2, abs=1e-3)
    # Lower than every number: two in ten rows stand before the first.
    assert found["kolmogorov_smirnov"] == pytest.approx(0.2, abs=1e-3)
    # A tenth of all rows moved by one deviation from the upper bin, two tenths from the lower.
    assert found["wasserstein"] == pytest.approx(0.3, abs=1e-3)
    assert found["kl"] > 1
    assert 0 < found["chi_square"] < math.inf


def test_an_unseen_category_is_far_but_not_infinite() -> None:
    now, before = np.array([500.0, 300.0, 200.0]), np.array([60_000.0, 40_000.0, 0.0])
    for word in ORDERLESS:
        found = MEASURES[word].estimate(Counted(now, before), MEASURES[word].threshold, 0.05)
        assert MEASURES[word].threshold < found.low <= found.high < math.inf


def test_what_never_varied_moves_by_one_deviation() -> None:
    edges = np.array([np.nextafter(5.0, 0.0), 5.0])
    counted = Counted(np.array([0.0, 6e5, 4e5]), np.array([0.0, 1e6, 0.0]), edges, deviation=0.0)
    assert lengths(counted).tolist() == [1.0, 1.0]
    found = MEASURES["wasserstein"].estimate(counted, 0.1, 0.05)
    assert found.value == pytest.approx(0.4, abs=1e-3)


def test_without_rows_nothing_can_be_said() -> None:
    for measure in MEASURES.values():
        with pytest.raises(ValueError, match="rows on both sides"):
            measure.estimate(Counted(np.zeros(2), np.ones(2), np.zeros(1)), 0.1, 0.05)


@given(st.data(), st.sampled_from([*MEASURES]), counts, st.sampled_from([0.05, 0.0025, 5e-6]))
def test_any_counts_have_an_estimate(
    data: st.DataObject, word: str, now: list[int], alpha: float
) -> None:
    before = data.draw(st.lists(st.integers(0, 3000), min_size=len(now), max_size=len(now)))
    missing = data.draw(st.tuples(st.integers(0, 50), st.integers(0, 50)))
    assume(sum(now) + missing[0] and sum(before) + missing[1])
    steps = data.draw(st.lists(st.floats(1e-9, 1e9), min_size=len(now) - 1, max_size=len(now) - 1))
    deviation = data.draw(st.none() | st.just(0.0) | st.floats(1e-9, 1e9))
    counted = Counted(
        np.array(now, float), np.array(before, float), np.cumsum(steps), missing, deviation
    )
    found = MEASURES[word].estimate(counted, MEASURES[word].threshold, alpha)
    assert 0 <= found.low <= found.value <= found.high < math.inf
    surer = MEASURES[word].estimate(counted, MEASURES[word].threshold, alpha / 10)
    assert surer.low <= found.low
    assert surer.high == found.high


@given(st.sampled_from([*MEASURES]), counts, st.integers(1, 5))
def test_equal_shares_are_no_divergence(word: str, some: list[int], times: int) -> None:
    assume(sum(some))
    same = np.array(some, float)
    edges = np.arange(len(same) - 1.0)
    found = MEASURES[word].estimate(Counted(times * same, same, edges), 0.1, 0.05)
    assert (found.value, found.low) == (0, 0)
    assert (found.high == 0) == (times == 1 or sum(map(bool, some)) < 2)


@given(st.sampled_from([*MEASURES]), st.integers(2, 8), st.floats(0.2, 3.0))
def test_unequal_shares_are_some(word: str, bins: int, change: float) -> None:
    p = np.arange(1, bins + 1) ** change
    q = np.full(bins, 1 / bins)
    assert _found(word, p / p.sum(), q, edges=np.arange(bins - 1.0), deviation=1.0) > 0


@given(st.data(), st.sampled_from(ORDERLESS))
def test_the_order_of_categories_does_not_matter(data: st.DataObject, word: str) -> None:
    bins = data.draw(st.integers(2, 10))
    full = st.lists(st.integers(2000, 9000), min_size=bins, max_size=bins)
    now, before = (np.array(data.draw(full), float) for _ in range(2))
    order = np.array(data.draw(st.permutations(range(bins))))
    one = MEASURES[word].estimate(Counted(now, before), 0.3, 0.05)
    other = MEASURES[word].estimate(Counted(now[order], before[order]), 0.3, 0.05)
    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))

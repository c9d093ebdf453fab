"""The bounds keep their promises: they cover, raise no false alarm, and merging favours nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.data.drift.divergence import MEASURES, Counted
from seatrial.data.drift.merging import grouped, merging
from seatrial.data.drift.settling import together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.drift.interval import Estimate

    Shares = NDArray[np.float64]

EQUAL = np.full(20, 0.05)


def _tilted(by: float) -> Shares:
    p = np.exp(np.linspace(-by, by, 20))
    p /= p.sum()
    return p


def _drawn(
    word: str, p: Shares, q: Shares, n: int, m: int, draws: int, alpha: float = 0.05
) -> list[Estimate]:
    """Estimates of ordered bins of which one deviation holds about six."""
    rng = np.random.default_rng([n, m])
    edges = np.arange(len(p) - 1.0)
    return [
        MEASURES[word].estimate(
            Counted(
                rng.multinomial(n, p).astype(float),
                rng.multinomial(m, q).astype(float),
                edges,
                deviation=6.0,
            ),
            MEASURES[word].threshold,
            alpha,
        )
        for _ in range(draws)
    ]


@pytest.mark.parametrize("word", [*MEASURES])
@pytest.mark.parametrize("n", [50, 300, 5000])
def test_no_false_alarm_without_drift(word: str, n: int) -> None:
    found = _drawn(word, EQUAL, EQUAL, n, 20_000, 150)
    failed = sum(each.low > MEASURES[word].threshold for each in found)
    assert failed <= 4, "more than 1 %, beyond what chance gives of 1.5 expected"


def test_drift_is_found() -> None:
    strong = [each.low > 0.1 for each in _drawn("kl", _tilted(1.03), EQUAL, 1000, 100_000, 150)]
    assert np.mean(strong) > 0.9


def test_drift_of_one_of_twenty_columns_is_found() -> None:
    p = _tilted(1.03)
    assert 0.16 < (p * np.log(p / EQUAL)).sum() < 0.18
    found = _drawn("kl", p, EQUAL, 1000, 100_000, 150, together(20))
    assert np.mean([each.low > 0.1 for each in found]) > 0.85


@pytest.mark.parametrize(
    ("word", "n", "m"),
    [
        ("kl", 1000, 100_000),
        ("kl", 5000, 1000),
        ("psi", 1000, 100_000),
        ("jensen_shannon", 1000, 100_000),
        ("total_variation", 1000, 100_000),
        ("chi_square", 5000, 100_000),
    ],
)
def test_bounds_cover_a_move_into_one_bin(word: str, n: int, m: int) -> None:
    # The noncentral chi-square law alone misses kl in 10 % here, for the variance of log(p / q)
    # is far more than twice the divergence.
    p, q = np.array([0.3, *[0.7 / 4] * 4]), np.array([0.02, *[0.98 / 4] * 4])
    true = {
        "kl": (p * np.log(p / q)).sum(),
        "psi": ((p - q) * np.log(p / q)).sum(),
        "jensen_shannon": np.sqrt(
            (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2
        ),
        "chi_square": ((p - q) ** 2 / q).sum(),
        "total_variation": np.abs(p - q).sum() / 2,
    }[word]
    found = _drawn(word, p, q, n, m, 800)
    assert np.mean([each.low > true for each in found]) < 0.075
    assert np.mean([each.high < true for each in found]) < 0.075
    assert np.mean([each.value for each in found]) == pytest.approx(true, rel=0.05)


@pytest.mark.parametrize("word", ["kolmogorov_smirnov", "wasserstein", "total_variation"])
@pytest.mark.parametrize("by", [0.0, 0.25, 1.0])
def test_bounds_of_norms_cover(word: str, by: float) -> None:
    p = _tilted(by)
    up_to = np.abs(np.cumsum(p - EQUAL))[:-1]
    weights = np.array([1.5, *[1.0] * 17, 1.5]) / 6
    # Of many bins total variation sees the groups of neighbours that it merged them to.
    reference = Counted(4000 * EQUAL, 100_000 * EQUAL, np.arange(19.0))
    places = grouped(reference, 25)[:-1]
    true = {
        "kolmogorov_smirnov": up_to.max(),
        "wasserstein": float(weights @ up_to),
        "total_variation": np.abs(np.bincount(places, p - EQUAL)).sum() / 2,
    }[word]
    found = _drawn(word, p, EQUAL, 4000, 100_000, 800)
    assert np.mean([each.low > true + 1e-9 for each in found]) < 0.075
    assert np.mean([each.high < true - 1e-9 for each in found]) < 0.075


@given(
    counts=st.lists(st.integers(0, 50), min_size=1, max_size=40),
    most=st.integers(2, 20),
    least=st.just(0.0) | st.floats(0.5, 60),
    ordered=st.booleans(),
)
def test_merging_keeps_bins_together(
    counts: list[int], most: int, least: float, *, ordered: bool
) -> None:
    places = merging(np.array(counts, float), most, least, ordered=ordered)
    groups = len(set(places.tolist()))
    assert set(places.tolist()) == set(range(groups))
    assert groups <= max(2, most)
    small = np.bincount(places, counts) < least
    assert small.sum() <= 1 or small.all(), "the small ones are one"
    alone = merging(np.array(counts, float), most, ordered=True)
    assert (np.diff(alone) >= 0).all(), "neighbours come together"


def test_rare_values_that_a_small_reference_lacks_are_no_news() -> None:
    q = np.arange(1, 51) ** -1.2
    q /= q.sum()
    rng = np.random.default_rng(4)
    draws = [(rng.multinomial(5000, q), rng.multinomial(700, q)) for _ in range(400)]
    counted = [Counted(now.astype(float), before.astype(float)) for now, before in draws]
    assert np.mean([(each.reference == 0).any() for each in counted]) > 0.5
    found = [MEASURES["kl"].estimate(each, 0.1, 0.05) for each in counted]
    assert np.mean([each.low > 0 for each in found]) < 0.1


def test_bins_of_enough_rows_stay_as_they_are() -> None:
    counted = Counted(np.full(20, 50.0), np.full(20, 5000.0), np.arange(19.0), (5, 0))
    assert grouped(counted, 30).tolist() == list(range(21))
    assert len(set(grouped(counted, 6).tolist())) == 6


def test_equal_bins_merge_to_equal_groups() -> None:
    for ordered in (True, False):
        places = merging(np.full(20, 7.0), 5, ordered=ordered)
        assert np.bincount(places).tolist() == [4] * 5


@pytest.mark.parametrize("ordered", [True, False])
def test_the_luck_of_a_reference_chooses_no_groups(ordered: bool) -> None:  # noqa: FBT001 - a case
    rng = np.random.default_rng(8)
    equal = merging(np.full(20, 50.0), 13, ordered=ordered)
    drawn = [rng.multinomial(1000, EQUAL).astype(float) for _ in range(100)]
    same = [(merging(counts, 13, ordered=ordered) == equal).all() for counts in drawn]
    assert np.mean(same) > 0.95


def test_a_full_bin_leaves_room_for_the_others() -> None:
    places = merging(np.array([900.0, *[10.0] * 10]), 5, ordered=True)
    assert len(set(places.tolist())) >= 4

"""Bounds of a quantile hold, also where what disturbs comes in bursts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seatrial.evaluation.speed.blocks import LEAST_SIZE, MOST_BLOCKS, blocks
from seatrial.evaluation.speed.quantiles import quantile, ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRAWS = 400
ROUNDS = np.repeat(np.arange(40), 50)
MOST_WRONG = 0.075
"""Of bounds that should err in 5 %: what 400 draws show of that by chance, once in a hundred."""


def bursts(random: np.random.Generator, n: int, share: float, length: float) -> NDArray[np.bool_]:
    """[n] whether a request falls into a burst; bursts follow a Markov chain."""
    leave, enter = 1 / length, share / (1 - share) / length
    state, found = random.random() < share, np.empty(n, dtype=np.bool_)
    for at, drawn in enumerate(random.random(n)):
        state = drawn >= leave if state else drawn < enter
        found[at] = state
    return found


def quiet(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.exp(random.normal(scale=0.2, size=n))


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_bounds_of_independent_times_err_as_rarely_as_they_say(share: float) -> None:
    random = np.random.default_rng(3)
    truth = math.exp(0.2 * {0.5: 0.0, 0.95: 1.6449, 0.99: 2.3263}[share])
    found = [quantile(quiet(random, 2000), share, ROUNDS) for _ in range(DRAWS)]
    assert np.mean([each.low > truth for each in found]) <= MOST_WRONG
    assert np.mean([each.high < truth for each in found]) <= MOST_WRONG


def test_bursts_that_last_widen_the_bounds_as_far_as_they_must() -> None:
    """A tenth of the time, for about a block's length, everything takes three times as long."""
    random = np.random.default_rng(4)
    long = quiet(random, 400_000) * np.where(bursts(random, 400_000, 0.1, 40), 3, 1)
    truth = float(np.quantile(long, 0.95))
    found = []
    for _ in range(DRAWS):
        times = quiet(random, 2000) * np.where(bursts(random, 2000, 0.1, 40), 3, 1)
        found.append(quantile(times, 0.95, ROUNDS))
    assert np.mean([each.low > truth for each in found]) <= MOST_WRONG
    assert np.mean([each.high < truth for each in found]) <= MOST_WRONG


@pytest.mark.parametrize("share_busy", [0.1, 0.4, 0.7])
def test_what_disturbs_for_a_time_never_makes_a_time_too_long(share_busy: float) -> None:
    """However much slower everything gets in most of the blocks, the quiet ones speak."""
    random = np.random.default_rng(5)
    limit = 1.3 * math.exp(0.2 * 1.6449)
    for _ in range(200):
        busy = np.isin(ROUNDS, random.choice(40, int(40 * share_busy), replace=False))
        times = quiet(random, 2000) * np.where(busy, 1 + random.exponential(5), 1)
        assert quantile(times, 0.95, ROUNDS).low <= limit


def test_a_time_that_is_too_long_is_told_so_all_the_same() -> None:
    random = np.random.default_rng(6)
    limit = math.exp(0.2 * 1.6449) / 1.3
    found = [quantile(quiet(random, 2000), 0.95, ROUNDS) for _ in range(50)]
    assert all(each.low > limit for each in found)


@pytest.mark.parametrize(("n", "share"), [(10, 0.95), (58, 0.95), (298, 0.99), (4, 0.5)])
def test_few_times_give_no_upper_bound(n: int, share: float) -> None:
    found = quantile(np.arange(1.0, n + 1), share, np.zeros(n, dtype=np.intp))
    assert math.isinf(found.high)
    assert ranks(n, share)[1] == 0


TIMES = arrays(np.float64, st.integers(1, 300), elements=st.floats(1e-3, 1e3))


@given(TIMES, st.sampled_from([0.5, 0.95, 0.99]), st.floats(0.1, 10))
def test_bounds_hold_the_value_and_keep_the_unit(
    times: NDArray[np.float64], share: float, unit: float
) -> None:
    rounds = range(len(times))
    found, scaled = (quantile(each, share, rounds) for each in (times, unit * times))
    assert found.low <= found.value <= found.high
    assert times.min() <= found.value <= times.max()
    for one, other in ((found.low, scaled.low), (found.high, scaled.high)):
        assert other == pytest.approx(unit * one)


@given(st.lists(st.integers(0, 60), max_size=400))
def test_blocks_follow_time_and_are_large_enough(rounds: list[int]) -> None:
    rounds.sort()
    found = blocks(rounds)
    assert len(found) == len(rounds)
    if not rounds:
        return
    assert (np.diff(found) >= 0).all()
    count = int(found.max()) + 1
    assert count <= max(min(MOST_BLOCKS, len(rounds) // LEAST_SIZE), 1)
    # a round is never cut
    assert all(len({*found[np.asarray(rounds) == number]}) == 1 for number in set(rounds))

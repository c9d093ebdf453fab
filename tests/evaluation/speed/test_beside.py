"""Two versions asked in turn: the coin carries the proof, whatever the machine does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evaluation.speed.beside import ALIKE, ratio, sign_rank
from seatrial.evaluation.speed.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Disturbance = Callable[[np.random.Generator, int], NDArray[np.float64]]

ROUNDS = np.repeat(np.arange(40), 50)
OF_BLOCK = blocks(ROUNDS)
DRAWS = 300
MOST_WRONG = 0.03
"""Of bounds that should err in 1 %: what 300 draws show of that by chance, once in a hundred."""


def steady(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.exp(random.normal(scale=0.1, size=n))


def bursting(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Now and then, for a while, everything takes up to twenty times as long."""
    factor = np.ones(n)
    at = 0
    while at < n:
        at += int(random.exponential(300)) + 1
        length = int(random.exponential(100)) + 1
        factor[at : at + length] = 1 + random.exponential(5)
        at += length
    return factor * steady(random, n)


def drifting(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """The machine gets slower, and recovers, in its own time."""
    walk = np.cumsum(random.normal(scale=0.05, size=n))
    factor: NDArray[np.float64] = np.exp(walk - walk.min())
    return factor * steady(random, n)


def stolen(random: np.random.Generator, n: int) -> NDArray[np.float64]:
    """One slot of twelve is lost to somebody else: its time has a tail without end."""
    return steady(random, n) + np.where(random.random(n) < 1 / 12, random.pareto(1.2, n) * 5, 0)


DISTURBANCES = [steady, bursting, drifting, stolen]


def asked(
    random: np.random.Generator, disturbance: Disturbance, times: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Candidate and production in the slots of one machine; a coin says who gets which."""
    slots = disturbance(random, 2 * len(ROUNDS)).reshape(-1, 2)
    first = random.random(len(ROUNDS)) < 0.5
    mine = np.where(first, slots[:, 0], slots[:, 1])
    return times * mine, np.where(first, slots[:, 1], slots[:, 0])


def too_wild(disturbance: Disturbance, share: float) -> bool:
    return disturbance is stolen and share > 11 / 12


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_the_same_file_is_hardly_ever_told_slower_than_itself(
    disturbance: Disturbance, share: float
) -> None:
    random = np.random.default_rng(7)
    found = [ratio(*asked(random, disturbance, 1.0), share, OF_BLOCK) for _ in range(DRAWS)]
    assert np.mean([each.low * (1 + ALIKE) > 1 for each in found]) <= MOST_WRONG
    assert np.mean([each.high / (1 + ALIKE) < 1 for each in found]) <= MOST_WRONG
    assert np.mean([each.low > 1.05 for each in found]) <= 0.01


@pytest.mark.parametrize("share", [0.5, 0.95])
@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_twice_as_slow_is_never_passed_at_one_and_a_half(
    disturbance: Disturbance, share: float
) -> None:
    random = np.random.default_rng(8)
    found = [ratio(*asked(random, disturbance, 2.0), share, OF_BLOCK) for _ in range(100)]
    assert all(each.high > 1.5 for each in found)
    # where a twelfth of the slots has no end, the slowest twentieth says little of the version
    assert np.mean([each.low > 1.5 for each in found]) >= (0 if too_wild(disturbance, share) else 1)


@given(st.floats(0.2, 5), st.integers(0, 1000))
def test_who_is_held_against_whom_only_turns_it_round(times: float, seed: int) -> None:
    mine, theirs = asked(np.random.default_rng(seed), steady, times)
    one, other = ratio(mine, theirs, 0.5, OF_BLOCK), ratio(theirs, mine, 0.5, OF_BLOCK)
    assert one.low == pytest.approx(1 / other.high)
    assert one.high == pytest.approx(1 / other.low)
    assert one.low <= one.value <= one.high
    assert one.value == pytest.approx(1 / other.value, rel=0.02)


@given(st.integers(1, 100))
def test_few_blocks_prove_nothing_and_more_prove_more(n: int) -> None:
    rank = sign_rank(n)
    wrong = sum(math.comb(n, k) for k in range(rank)) / 2**n
    assert wrong <= 0.01 < wrong + math.comb(n, rank) / 2**n
    assert (rank == 0) == (n < 7)


def test_a_handful_of_requests_has_no_bounds() -> None:
    found = ratio(np.ones(12), np.ones(12), 0.95, blocks(range(12)))
    assert (found.low, found.high) == (0.0, math.inf)

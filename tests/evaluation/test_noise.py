"""The noise floor between seeds: its value, its bounds, and where it has none."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from seatrial import metrics
from seatrial.evaluation.labelled import Labelled
from seatrial.evaluation.noise import between_seeds, noise_floor
from seatrial.metrics import Predictions
from seatrial.outcome import Direction, Verdict

ACCURACY = metrics.get("accuracy")
SHARES = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=9)


@given(SHARES)
def test_it_is_the_root_mean_square_of_the_differences_of_all_pairs(values: list[float]) -> None:
    pairs = [(a - b) ** 2 for a, b in combinations(values, 2)]
    floor = noise_floor(ACCURACY, values, 100)
    assert floor.value == pytest.approx(math.sqrt(np.mean(pairs)), abs=1e-12)


@given(SHARES)
def test_it_lies_between_its_bounds_and_decides_nothing(values: list[float]) -> None:
    floor = noise_floor(ACCURACY, values, 100)
    assert floor.value is not None
    assert floor.low is not None
    assert 0 <= floor.low <= floor.value
    assert floor.high is None or floor.value <= floor.high or floor.high == 1.0
    assert (floor.verdict, floor.limit, floor.direction, floor.n) == (
        Verdict.SKIP,
        None,
        Direction.AT_MOST,
        100,
    )


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_the_bounds_are_those_of_chi_square(count: int) -> None:
    values = list(np.linspace(0.80, 0.81, count))
    floor = noise_floor(ACCURACY, values, 100)
    assert floor.value is not None
    low, high = (math.sqrt((count - 1) / chi2.ppf(p, count - 1)) for p in (0.95, 0.05))
    assert floor.low == pytest.approx(floor.value * low)
    assert floor.high == pytest.approx(floor.value * high)


def test_the_bounds_hold_the_true_spread_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(1)
    truth = math.sqrt(2) * 0.01
    drawn = 0.8 + random.normal(scale=0.01, size=(2000, 3))
    floors = [noise_floor(ACCURACY, list(values), 100) for values in drawn]
    below = np.mean([floor.low is not None and floor.low <= truth for floor in floors])
    above = np.mean([floor.high is not None and floor.high >= truth for floor in floors])
    assert below == pytest.approx(0.95, abs=0.015)
    assert above == pytest.approx(0.95, abs=0.015)


def test_equal_values_have_no_upper_bound() -> None:
    floor = noise_floor(ACCURACY, [0.8, 0.8, 0.8], 100)
    assert (floor.value, floor.low, floor.high) == (0.0, 0.0, None)


@pytest.mark.parametrize("values", [[], [0.8], [0.8, math.nan], [0.8, math.inf]])
def test_without_two_values_there_is_no_floor(values: list[float]) -> None:
    floor = noise_floor(ACCURACY, values, 100)
    assert (floor.name, floor.value, floor.low, floor.high) == (
        "noise_floor.accuracy",
        None,
        None,
        None,
    )


def test_an_unbounded_metric_is_not_cut_off() -> None:
    metric = metrics.get("neg_mean_absolute_error")
    floor = noise_floor(metric, [-10.0, -20.0, -90.0], 100)
    assert floor.high is not None
    assert floor.high > 200


def test_it_is_measured_on_the_answers_of_every_seed() -> None:
    truth = np.array([0, 1] * 50)
    wrong = [np.where(np.arange(100) < count, 1 - truth, truth) for count in (10, 12, 14)]
    rows = Labelled("rows", {"x": np.zeros(100)}, truth, ACCURACY, None)
    own, *others = [Predictions(labels, None, (0, 1)) for labels in wrong]
    assert between_seeds(rows, own, others).value == pytest.approx(math.sqrt(2) * 0.02)

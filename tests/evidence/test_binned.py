"""Bounds of a calibration error: they hold for good and for bad models, and are of use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.evidence import binned
from seatrial.evidence.absolute import absolute
from seatrial.evidence.clusters import Clusters
from seatrial.metrics import Predictions, get

if TYPE_CHECKING:
    from collections.abc import Callable

    Truth = Callable[[Any], Any]

ECE = get("expected_calibration_error")

TRUE: dict[str, Truth] = {
    "perfect": lambda p: p,
    "too sure": lambda p: 1 / (1 + np.exp(-0.6 * np.log(p / (1 - p)))),
    "too low": lambda p: np.clip(p + 0.1, 0, 1),
    "far too low": lambda p: np.clip(p + 0.3, 0, 1),
}


def _said(rows: int, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.beta(1, 3, rows), random.random(rows)


def _answers(p: Any) -> Predictions:
    return Predictions((p > 0.5).astype(int), np.column_stack([1 - p, p]), (0, 1))


def _true_sum(true: Truth) -> float:
    p, _ = _said(1_000_000, 5)
    place = np.minimum((p * 10).astype(int), 9)
    return float(np.abs(np.bincount(place, true(p) - p)).sum() / len(p))


@pytest.mark.slow
@pytest.mark.parametrize("rows", [50, 200, 1000])
@pytest.mark.parametrize("kind", TRUE)
def test_either_bound_errs_at_most_one_time_in_twenty(kind: str, rows: int) -> None:
    truth = _true_sum(TRUE[kind])
    above = below = 0
    replicates = 200
    for seed in range(replicates):
        p, drawn = _said(rows, seed)
        y = (drawn < TRUE[kind](p)).astype(int)
        low, high = binned.of_one(*ECE.binned(y, _answers(p)), seed=1)  # type: ignore[misc]
        above += low > truth + 1e-3  # what is left of a perfect model's error in a million rows
        below += high < truth
    # at 5 % more than 18 of 200 are seen one time in a hundred
    assert above <= 18
    assert below <= 18


def test_a_perfect_model_is_proven_to_be_good_by_rows_that_one_has() -> None:
    p, drawn = _said(1000, 3)
    y = (drawn < p).astype(int)
    measure = absolute(ECE, y, _answers(p), 0.05, seed=1)
    assert measure.verdict.value == "pass"


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("bins", [2, 5, 10])
def test_the_upper_bound_holds_however_the_truth_lies_over_the_bins(
    bins: int, spread: float
) -> None:
    """Errors that are equal or not, and means that are even, in few bins, or drawn."""
    random = np.random.default_rng(bins)
    errors = np.exp(spread * random.normal(size=bins))
    noise = np.abs(random.standard_normal((40_000, bins)))
    drawn = random.standard_normal((10_000, bins))
    for amount in (0.5, 1.5, 3.0):
        for shares in (
            errors,
            np.ones(bins),
            random.exponential(size=bins),
            np.eye(bins)[0],
            np.eye(bins)[int(errors.argmax())],
        ):
            means = amount * errors.sum() * shares / shares.sum()
            # the bound grows with the sum: where it reaches the truth is all there is to know
            least, most = 0.0, float(means.sum())
            for _ in range(20):
                middle = (least + most) / 2
                short = binned._greatest(middle, errors, drawn) < means.sum()
                least, most = (middle, most) if short else (least, middle)
            signs = np.where(random.random(noise.shape) < 0.5, -1, 1)
            shown = np.abs(means + signs * noise * errors).sum(axis=1)
            assert np.mean(shown < least) <= 0.055


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_the_difference_of_two_models_that_err_alike_is_bounded(shift: float) -> None:
    def both(rows: int, seed: int) -> tuple[Any, Any]:
        p, drawn = _said(rows, seed)
        score = np.log(p / (1 - p))
        y = (drawn < p).astype(int)
        models = (1 / (1 + np.exp(-each)) for each in (score + shift, 0.97 * score))
        return y, [ECE.binned(y, _answers(each)) for each in models]  # type: ignore[misc]

    _, (first, second) = both(1_000_000, 7)
    truth = binned._sum(*first) - binned._sum(*second)
    above = below = 0
    for seed in range(200):
        _, parts = both(500, seed)
        low, high = binned.of_difference(*parts, seed=1)
        above += low > truth
        below += high < truth
        swapped = binned.of_difference(*parts[::-1], seed=1)
        assert swapped == (-high, -low)
    assert above <= 18
    assert below <= 18


def test_rows_of_one_thing_prove_less() -> None:
    p, drawn = _said(400, 1)
    y = (drawn < p).astype(int)
    parts = ECE.binned(y, _answers(p))  # type: ignore[misc]
    alone = binned.of_one(*parts, seed=1)
    groups = Clusters.of(np.arange(400) % 100)
    four_each = [np.tile(each, 4) for each in (parts[0][:100], parts[1][:100])]
    copied = binned.of_one(*four_each, seed=1, clusters=groups)
    assert copied[1] > alone[1]
    of_100 = binned.of_one(parts[0][:100], parts[1][:100], seed=1)
    assert copied[1] == pytest.approx(of_100[1], rel=0.05)


def test_hundreds_of_bins_are_bounded_too() -> None:
    fine = get("expected_calibration_error@1000")
    p, drawn = _said(3000, 2)
    y = (drawn < p).astype(int)
    measure = absolute(fine, y, _answers(p), None, seed=1)
    assert measure.value is not None
    assert measure.low == 0
    assert measure.high is not None
    assert measure.high > 0

"""How much the best of equal models flatters itself."""

from __future__ import annotations

import numpy as np
import pytest

from seatrial.evidence.reuse import best_of, flattery


@pytest.mark.parametrize(
    # Harter, Expected values of normal order statistics (1961), table 1
    ("models", "expected"),
    [(1, 0), (2, 0.56419), (5, 1.16296), (10, 1.53875), (100, 2.50759)],
)
def test_the_expected_best_is_that_of_the_tables(models: int, expected: float) -> None:
    assert best_of(models) == pytest.approx(expected, abs=1e-5)


def test_the_best_of_forty_equal_models_is_overrated_by_so_much() -> None:
    """40 models that are right in 80 of 100 rows, on 1000 rows."""
    random = np.random.default_rng(3)
    best = np.mean(random.binomial(1000, 0.8, size=(4000, 40)).max(axis=1)) / 1000
    half = 1.6449 * np.sqrt(0.8 * 0.2 / 1000)
    assert flattery(40, 0.8 - half, 0.8 + half) == pytest.approx(best - 0.8, abs=0.001)

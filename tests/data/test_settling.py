"""What is said about more rows, and of a plan, agrees with what checks then find."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from seatrial.data.drift.divergence import MEASURES, Counted
from seatrial.data.drift.settling import rows_needed, rows_to_pass, sees, together

EDGES = ndtri(np.arange(1, 20) / 20)


def _moved(by: float) -> np.ndarray:
    return np.diff(ndtr(EDGES - by), prepend=0.0, append=1.0)


def _drawn(rng: np.random.Generator, p: np.ndarray, n: int, m: int) -> Counted:
    reference = rng.multinomial(m, np.full(20, 0.05)).astype(float)
    return Counted(rng.multinomial(n, p).astype(float), reference, EDGES, deviation=1.0)


def _move_to(word: str, divergence: float) -> float:
    low, high = 0.0, 4.0
    for _ in range(30):
        middle = (low + high) / 2
        counted = Counted(1e9 * _moved(middle), np.full(20, 1e8), EDGES, deviation=1.0)
        far = MEASURES[word].estimate(counted, 0.1, 0.05).value > divergence
        low, high = (low, middle) if far else (middle, high)
    return high


def test_errors_of_many_columns_are_shared_out() -> None:
    assert [together(count) for count in (0, 1, 20)] == [0.05, 0.05, 0.0025]


@pytest.mark.parametrize("word", [*MEASURES])
def test_what_a_plan_sees_is_found(word: str) -> None:
    measure, rng = MEASURES[word], np.random.default_rng(1)
    smallest = sees(measure, 2000, 50_000, 20, measure.threshold, 0.05)
    assert smallest is not None
    assert smallest > measure.threshold
    p = _moved(_move_to(word, smallest))
    failed = [
        measure.estimate(_drawn(rng, p, 2000, 50_000), measure.threshold, 0.05).low
        > measure.threshold
        for _ in range(120)
    ]
    assert np.mean(failed) > 0.8
    more = sees(measure, 20_000, 50_000, 20, measure.threshold, 0.05)
    many = sees(measure, 2000, 50_000, 20, measure.threshold, together(20))
    assert more is not None
    assert many is not None
    assert more < smallest < many


@pytest.mark.parametrize("word", [*MEASURES])
def test_rows_to_pass_do_pass(word: str) -> None:
    measure, rng = MEASURES[word], np.random.default_rng(2)
    rows = rows_to_pass(measure, 50_000, 20, measure.threshold, 0.05)
    assert rows is not None
    still = np.full(20, 0.05)

    def passed(n: int) -> float:
        found = [
            measure.estimate(_drawn(rng, still, n, 50_000), measure.threshold, 0.05).high
            for _ in range(120)
        ]
        return float(np.mean([high <= measure.threshold for high in found]))

    assert passed(rows) > 0.8
    assert passed(rows // 3) < 0.8


def test_nothing_is_seen_by_no_rows_and_little_by_few() -> None:
    kl = MEASURES["kl"]
    assert sees(kl, 0, 1000, 20, 0.1, 0.05) is None
    assert sees(kl, 3, 1000, 20, 0.1, 0.05 / 1000) is None
    assert sees(kl, 1000, 1000, 1, 0.1, 0.05) is None
    assert rows_to_pass(kl, 1000, 1, 0.1, 0.05) == 1
    assert rows_to_pass(MEASURES["wasserstein"], 100, 20, 0.1, 0.05) is None
    assert rows_to_pass(kl, 0, 20, 0.1, 0.05) is None


@pytest.mark.parametrize(("by", "word"), [(0.28, "kl"), (0.15, "kl"), (0.35, "wasserstein")])
def test_so_many_more_rows_settle_it(by: float, word: str) -> None:
    measure, p, q = MEASURES[word], _moved(by), np.full(20, 0.05)
    threshold = 0.02 if word == "kl" else 0.28
    counted = Counted(400 * p, 1e6 * q, EDGES, deviation=1.0)
    needed = rows_needed(measure, counted, threshold, 0.05).rows
    assert needed

    def settled(rows: float) -> bool:
        more = Counted(rows * p, 1e6 * q, EDGES, deviation=1.0)
        found = measure.estimate(more, threshold, 0.05)
        return found.low > threshold or found.high <= threshold

    assert not settled(400)
    assert settled(400 + 3 * needed)
    assert not settled(400 + needed / 8)


def test_a_settled_question_needs_no_rows() -> None:
    counted = Counted(np.array([900.0, 100.0]), np.array([5e4, 5e4]))
    assert rows_needed(MEASURES["kl"], counted, 0.1, 0.05).rows == 0


def test_a_small_reference_is_said_to_be_small() -> None:
    counted = Counted(1e6 * _moved(0.35), 100 * np.full(20, 0.05), EDGES, deviation=1.0)
    found = rows_needed(MEASURES["kl"], counted, 0.1, 0.05)
    assert found.rows is None
    assert "reference has too few rows for it (100 rows)" in found.reason


def test_a_value_on_its_limit_is_never_settled() -> None:
    counted = Counted(np.array([450.0, 550.0]), np.array([5e5, 5e5]))
    on_it = MEASURES["total_variation"].estimate(counted, 0.1, 0.05).value
    found = rows_needed(MEASURES["total_variation"], counted, on_it, 0.05)
    assert found.rows is None
    assert "lies on the limit" in found.reason

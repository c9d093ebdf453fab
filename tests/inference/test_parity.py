"""Parity: what counts as the same answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import FormError
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.parity import parity


def classes(*rows: tuple[float, float]) -> Answer:
    return most_probable(np.array(rows), (0, 1))


@pytest.mark.parametrize(
    ("expected", "got", "outside", "flips"),
    [
        ((0.2, 0.8), (0.2, 0.8), 0, 0),
        ((0.2, 0.8), (0.200005, 0.799995), 0, 0),
        ((0.2, 0.8), (0.2001, 0.7999), 1, 0),
        ((0.2, 0.8), (0.8, 0.2), 1, 1),
        ((0.499999, 0.500001), (0.500001, 0.499999), 0, 0),  # nearer than the tolerance: no flip
        ((0.2, 0.8), (float("nan"), 0.8), 1, 1),
        ((float("nan"), 0.8), (float("nan"), 0.8), 1, 0),
    ],
)
def test_classes(
    expected: tuple[float, float], got: tuple[float, float], outside: int, flips: int
) -> None:
    found = parity(classes(expected), classes(got))
    assert (found.outside, found.label_flips) == (outside, flips)
    assert found.ok == (not outside and not flips)
    assert np.isfinite(found.largest_difference)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [(0.0, 9e-6, True), (0.0, 2e-5, False), (1e6, 1e6 + 9, True), (1e6, 1e6 + 11, False)],
)
def test_numbers_are_compared_by_their_scale(expected: float, got: float, *, same: bool) -> None:
    assert parity(Answer(np.array([expected])), Answer(np.array([got]))).ok is same


def test_no_rows_prove_nothing() -> None:
    assert not parity(Answer(np.empty(0)), Answer(np.empty(0))).ok


def test_answers_to_other_rows_cannot_be_compared() -> None:
    with pytest.raises(FormError):
        parity(Answer(np.zeros(2)), Answer(np.zeros(3)))


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_an_answer_equals_itself(values: list[float]) -> None:
    answer = Answer(np.array(values))
    found = parity(answer, answer)
    assert found.ok
    assert found.largest_difference == 0

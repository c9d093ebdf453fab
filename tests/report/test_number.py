"""Numbers for people: short, and never on the other side of their limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.report._number import number, room

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (-0.00012345, "-0.0001234"),
        (1234.5678, "1235"),
        (999_999_999.0, "999999999"),
        (1.5e12, "1.5e+12"),
        (2.7e-7, "2.7e-07"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (1_000_000, "1000000"),
    ],
)
def test_as_people_read_them(value: float, said: str) -> None:
    assert number(value) == said


@given(FINITE, FINITE)
def test_a_number_stays_on_its_side(value: float, limit: float) -> None:
    said = float(number(value, limit))
    assert (said > limit, said < limit) == (value > limit, value < limit)


@given(FINITE)
def test_a_number_on_its_limit(value: float) -> None:
    assert float(number(value, value)) == value


def test_room_of_what_has_no_interval() -> None:
    measure = {"low": None, "high": 0.5, "limit": 0.4, "direction": "at_most"}
    assert room(measure) == math.inf
    assert room({**measure, "low": 0.5}) == math.inf
    assert room({**measure, "low": -math.inf}) == math.inf

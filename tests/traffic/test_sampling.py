"""Everybody draws the same sample, and a greater one holds the smaller."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seatrial.traffic.sampling import sampled

SHARE = st.floats(0, 100)


@given(st.text(st.characters(codec="utf-8")), SHARE, SHARE)
def test_a_greater_share_holds_the_smaller(identity: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert sampled(identity, more) >= sampled(identity, less)
    assert sampled(identity, 100)
    assert not sampled(identity, 0)


def test_the_share_is_kept_whatever_ids_look_like() -> None:
    for form in ("{}", "018f-{:08x}", "client-7/{:06d}", "{:036d}"):
        drawn = sum(sampled(form.format(number), 5) for number in range(40_000))
        assert 1_850 < drawn < 2_150

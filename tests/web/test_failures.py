"""How often somebody may be wrong."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.web.access import failures
from seatrial.web.access.failures import Failures


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_one_address_waits_and_others_do_not() -> None:
    clock = Clock()
    kept = Failures(clock)
    for _ in range(failures.AT_ONCE):
        assert kept.wait_s("10.0.0.1") == 0
        kept.note("10.0.0.1")
    assert kept.wait_s("10.0.0.1") == failures.AGAIN_S
    assert kept.wait_s("10.0.0.2") == 0
    clock.now_s = failures.AGAIN_S
    assert kept.wait_s("10.0.0.1") == 0
    kept.note("10.0.0.1")
    assert kept.wait_s("10.0.0.1") == failures.AGAIN_S
    clock.now_s = 3600
    kept.note("10.0.0.1")
    assert kept.wait_s("10.0.0.1") == 0


def test_addresses_of_one_network_count_as_one() -> None:
    kept = Failures(Clock())
    for number in range(failures.AT_ONCE):
        kept.note(f"2001:db8::{number}")
    assert kept.wait_s("2001:db8::ffff") > 0
    assert kept.wait_s("2001:db8:0:1::1") == 0


def test_many_together_keep_out_only_who_has_failed() -> None:
    kept = Failures(Clock())
    for number in range(failures.ALL_AT_ONCE):
        kept.note(f"10.0.0.{number}")
    assert kept.wait_s("10.0.0.1") > 0
    assert kept.wait_s("10.0.1.1") == 0


def test_memory_is_bounded() -> None:
    kept = Failures(Clock())
    for number in range(failures.MOST_ADDRESSES + 100):
        kept.note(f"a{number}")
    assert len(kept._of) == failures.MOST_ADDRESSES

"""Faults, crashes, NaN and delay: what is no accident is told, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.watch.guardrails import (
    Guard,
    Minute,
    Sample,
    Vitals,
    is_slow,
    looks_slow,
    quantile_us,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def told(guard: Guard, *vitals: tuple[float, int, int, int]) -> list[str]:
    """What is said at each look: at so many seconds, answered, faults and crashed so far."""
    return [
        guard.look(Vitals(at_s=at_s, answered=answered, faults=faults, crashed=crashed))
        for at_s, answered, faults, crashed in vitals
    ]


@pytest.mark.parametrize(
    ("answered", "faults", "usual_percent", "said"),
    [
        (100, 0, 0.0, ""),
        (0, 0, 0.0, ""),
        (0, 4, 0.0, ""),  # too few to move anything, be they all there is
        (0, 5, 0.0, "5 of 5 requests failed within a minute (at most 1 %)"),
        (495, 5, 0.0, ""),  # just what is allowed
        (494, 5, 0.0, "5 of 499 requests failed within a minute (at most 1 %)"),
        (100, 6, 5.0, ""),  # nobody could answer those before
        (93, 7, 5.0, "7 of 100 requests failed within a minute (at most 6 %)"),
    ],
)
def test_faults_of_a_minute(answered: int, faults: int, usual_percent: float, said: str) -> None:
    guard = Guard(1, usual_percent)
    assert told(guard, (0, 7_000, 300, 0), (1, 7_000 + answered, 300 + faults, 0)) == ["", said]


def test_what_was_before_the_first_look_does_not_count() -> None:
    assert told(Guard(1), (1_000, 10, 990, 50), (1_001, 20, 990, 50)) == ["", ""]


def test_faults_are_forgotten_after_a_minute() -> None:
    guard = Guard(1)
    looks: list[tuple[float, int, int, int]] = [(0, 0, 0, 0), (1, 4, 4, 0)]
    looks += [(second, 4, 4, 0) for second in range(2, 62)]
    assert set(told(guard, *looks)) == {""}
    # four more: within this minute they are four, not eight
    assert told(guard, (62, 4, 8, 0)) == [""]
    assert "5 of 5" in told(guard, (63, 4, 9, 0))[0]


def test_faults_that_come_slowly_add_up_to_a_minute() -> None:
    guard = Guard(1)
    said = told(guard, *[(second, 0, second // 10, 0) for second in range(56)])
    assert not any(said[:50])
    assert said[50] == "5 of 5 requests failed within a minute (at most 1 %)"


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ([(0, 0), (1, 1), (2, 2)], ""),
        ([(0, 0), (1, 1), (2, 3)], "3 workers died within 180 s"),
        ([(0, 0), (90, 1), (170, 2), (179, 3)], "3 workers died within 180 s"),
        ([(0, 0), (1, 1), (181, 2), (182, 3)], ""),  # the first is long ago
        ([(0, 7), (1, 8)], ""),  # those before it was looked at
    ],
)
def test_crashes(looks: Sequence[tuple[float, int]], said: str) -> None:
    guard = Guard(1)
    *before, last = told(guard, *[(at_s, 0, 0, crashed) for at_s, crashed in looks])
    assert (set(before), last) == ({""}, said)


def test_counts_that_are_missing_for_a_moment_are_no_faults_later() -> None:
    """A worker that died takes its counts along until its successor has found them."""
    guard = Guard(1)
    looks = [(second, 1_000, 60, 0) for second in range(30)]
    looks += [(30, 500, 30, 0)]
    looks += [(second, 1_000, 60, 0) for second in range(31, 120)]
    assert set(told(guard, *looks)) == {""}


@pytest.mark.parametrize("later", [61.0, 3_600.0, -50.0, 0.0])
def test_a_look_that_comes_late_or_early_accuses_nobody(later: float) -> None:
    """The machine slept, or a look took long: what a minute brought cannot be told from it."""
    guard = Guard(1)
    assert told(guard, (100, 100, 0, 0), (100 + later, 200, 1, 1)) == ["", ""]


def test_after_a_gap_the_next_faults_are_seen() -> None:
    guard = Guard(1)
    looks = [(0, 100, 0, 0), (3_600, 100, 300, 0), (3_601, 190, 310, 0)]
    assert told(guard, *looks) == [
        "",
        "",
        "10 of 100 requests failed within a minute (at most 1 %)",
    ]


@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.integers(0, 50), st.integers(0, 1)), min_size=1, max_size=40
    )
)
def test_up_to_what_is_allowed_nothing_is_said(steps: list[tuple[float, int, int]]) -> None:
    """At least a hundred answers to each fault: never more than 1 %."""
    guard, at_s, answered, faults = Guard(1), 0.0, 0, 0
    for step_s, more, failed in steps:
        at_s, answered, faults = at_s + step_s, answered + more + 100 * failed, faults + failed
        assert told(guard, (at_s, answered, faults, 0)) == [""]


def sample(at_s: float, rows: int, nan: int, nan_before: int = 0) -> Sample:
    return Sample(at_s=at_s, rows=rows, nan=nan, nan_before=nan_before)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([sample(0, 100, 4)], ""),
        ([sample(0, 100, 5)], "5 of 100 answers within a minute were NaN or infinite"),
        ([sample(0, 500, 5)], ""),
        ([sample(0, 100, 100, 100)], ""),  # the version before has no answer either
        ([sample(0, 100, 100, 97)], ""),
        ([sample(0, 100, 100, 90)], "10 of 100"),
        ([sample(n, 2, 2) for n in range(2)], ""),
        ([sample(n, 2, 2) for n in range(3)], "6 of 6"),  # one request a second is enough
        ([sample(61 * n, 4, 4) for n in range(9)], ""),
        ([sample(n, 0, 0) for n in range(9)], ""),
    ],
)
def test_answers_that_are_none(samples: list[Sample], said: str) -> None:
    guard = Guard(1)
    *_, last = map(guard.answers, samples)
    assert last.startswith(said)
    assert bool(last) == bool(said)


def minute(p99_ms: float, ratio: float | None = 9, before_ms: float | None = 10) -> Minute:
    before_us = None if before_ms is None else 1000 * before_ms
    return Minute(answers=500, p99_us=1000 * p99_ms, before_us=before_us, ratio=ratio)


@pytest.mark.parametrize(
    ("told", "slow"),
    [
        (minute(25.1), True),
        (minute(25), False),  # twice as long and 5 ms
        (minute(25.1, ratio=1.6), True),
        (minute(25.1, ratio=1.5), False),  # the machine is slow, not the version
        (minute(25.1, ratio=None), False),  # nobody measured
        (minute(4, before_ms=0.1), False),  # forty times as long, but nobody notices
        (minute(500, ratio=2.1, before_ms=None), True),
        (minute(500, ratio=1.9, before_ms=None), False),
        (minute(500, ratio=None, before_ms=None), False),
    ],
)
def test_what_a_slow_minute_is(told: Minute, slow: bool) -> None:  # noqa: FBT001 - a table
    assert is_slow(told) is slow
    assert not slow or looks_slow(told.p99_us, told.before_us)


@pytest.mark.parametrize(
    ("minutes", "at"),
    [
        ("sss", 2),
        ("ss", None),
        ("ssqss", None),
        ("ssqsss", 5),
        ("ss.s", 3),  # nobody asked: neither slow nor quick
        ("qqqqqq", None),
    ],
)
def test_three_minutes_in_a_row(minutes: str, at: int | None) -> None:
    of = {"s": minute(90), "q": minute(9), ".": Minute(answers=0, p99_us=0, before_us=0, ratio=0)}
    guard = Guard(1)
    said = [guard.minute(of[each]) for each in minutes]
    assert [n for n, each in enumerate(said) if each] == ([] if at is None else [at])


def test_a_slow_version_is_described() -> None:
    guard = Guard(1)
    slow = minute(90, ratio=3.14159, before_ms=None)
    assert [guard.minute(slow) for _ in range(3)][-1] == (
        "99 % of the answers took up to 90 ms for 3 minutes (3.14 times side by side)"
    )
    assert "for 4 minutes" in guard.minute(slow)


BOUNDS_US = (100, 200, 400, 800)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ((0, 0, 0, 0, 0), 0.99, None),
        ((100, 0, 0, 0, 0), 0.99, 99),
        ((0, 100, 0, 0, 0), 0.5, 150),
        ((50, 50, 0, 0, 0), 0.5, 100),
        ((0, 0, 0, 0, 7), 0.99, 800),  # slower than the last bound: at least that
        ((98, 0, 0, 2, 0), 0.99, 600),
    ],
)
def test_quantiles_of_a_histogram(
    counts: tuple[int, ...], share: float, expected: float | None
) -> None:
    assert quantile_us(BOUNDS_US, counts, share) == (
        None if expected is None else pytest.approx(expected)
    )


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=5), st.floats(0.01, 0.99))
def test_a_quantile_lies_in_its_bin_and_grows_with_its_share(
    counts: list[int], share: float
) -> None:
    low, high = (quantile_us(BOUNDS_US, counts, part) for part in (share, 1.0))
    if not sum(counts):
        assert low is high is None
        return
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= BOUNDS_US[-1]

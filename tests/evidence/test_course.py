"""How a shadow test went, from few moments: the newest is never lost, and gateways add up."""

from __future__ import annotations

import itertools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.evidence.agreement import Tally
from seatrial.evidence.course import MOMENTS, Course, Moment, together
from seatrial.evidence.shadowing import judge, over_time

steps = st.lists(st.integers(0, 10_000_000), max_size=600)


def counted(apart_us: list[int], each: int = 1) -> Course:
    """Moments so far apart, each with that much more."""
    course = Course()
    for number, at_us in enumerate(itertools.accumulate(apart_us), 1):
        done = number * each
        course = course.later(Moment(at_us, done, 0, done, done / 2))
    return course


@settings(max_examples=50, deadline=None)
@given(steps)
def test_moments_are_few_in_order_and_end_with_the_newest(apart_us: list[int]) -> None:
    course = counted(apart_us)
    assert len(course.moments) <= MOMENTS
    times = [each.at_us for each in course.moments]
    assert times == sorted(times)
    if apart_us:
        assert course.moments[0].reached == 1
        n = len(apart_us)
        assert course.moments[-1] == Moment(sum(apart_us), n, 0, n, n / 2)
    assert Course.from_json(json.loads(json.dumps(course.to_json()))).moments == course.moments


def test_moments_stay_evenly_apart_over_days() -> None:
    course = counted([1_000_000] * 20_000)
    apart = [b.at_us - a.at_us for a, b in itertools.pairwise(course.moments)]
    assert len(course.moments) > MOMENTS // 2 - 2
    assert max(apart) <= 3 * min(apart[:-1])


@settings(max_examples=30, deadline=None)
@given(st.lists(steps, max_size=3))
def test_gateways_add_up(told: list[list[int]]) -> None:
    courses = [counted(each, place) for place, each in enumerate(told, 1)]
    whole = together(courses)
    assert len(whole.moments) <= MOMENTS
    ends = [each.moments[-1] for each in courses if each.moments]
    assert bool(whole.moments) == bool(ends)
    if ends:
        last = whole.moments[-1]
        assert last.at_us == max(each.at_us for each in ends)
        assert last.reached == sum(each.reached for each in ends)
        assert last.disagreed == sum(each.disagreed for each in ends)


def test_the_last_moment_has_the_bounds_of_the_verdict() -> None:
    tally = Tally(seen=500, sampled=500, reached=500, compared=490, errors=10, disagreed=30)
    course = Course().later(Moment(0)).later(Moment.of(60_000_000, tally.to_json()))
    told = over_time(course)
    measures = judge(tally, share_percent=100, offline_disagreement=0, margin=0.1)
    (judged,) = (each for each in measures if each.name == "disagreement")
    assert (told["low"][-1], told["high"][-1]) == (judged.low, judged.high)
    assert (told["low"][0], told["high"][0]) == (0.0, 1.0)
    assert told["failed"] == [0, 10]

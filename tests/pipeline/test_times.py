"""When schedules fire: against a table of clock changes, another library, and every minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from seatrial.pipeline.schedule import check, fields
from seatrial.pipeline.times import missed, next_times

NUMBERS = st.integers(0, 60).map(str)
NAMES = st.sampled_from(["mon", "FRI", "sat", "jan", "Feb", "dec"])
ATOMS = st.one_of(st.just("*"), NUMBERS, NAMES, st.builds("{}-{}".format, NUMBERS, NUMBERS))
PARTS = ATOMS | st.builds("{}/{}".format, ATOMS, st.integers(1, 60))
FIELDS = st.one_of(st.just("*"), PARTS, st.lists(PARTS, min_size=1, max_size=3).map(",".join))
SCHEDULES = st.lists(FIELDS, min_size=5, max_size=5).map(" ".join)

# Where clocks move: an hour, half an hour, at midnight, over a whole day.
MOVES = [
    ("Europe/Berlin", "2026-03-29", "2026-10-25"),
    ("America/New_York", "2026-03-08", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-10-04", "2026-04-05"),
    ("America/Havana", "2026-03-08", "2026-11-01"),
    ("Africa/Cairo", "2026-04-24", "2026-10-29"),
    ("Asia/Kathmandu", "2026-01-01", "2026-06-01"),
    ("Pacific/Apia", "2011-12-31", "2012-04-01"),
]
DAYS = [(zone, day) for zone, *days in MOVES for day in days]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _told(times: list[datetime], zone: str) -> list[str]:
    return [f"{time.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for time in times]


FIXED = {
    "a day in summer": ("30 2 * * *", "Europe/Berlin", "2026-07-01T12:00", ["02 02:30+0200"]),
    "jumped over": (
        "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00",
        ["29 03:00+0200", "30 02:30+0200"],
    ),
    "twice on the wall": (
        "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00",
        ["25 02:30+0200", "26 02:30+0100"],
    ),
    "asked between the two": (
        "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10",
        ["26 02:30+0100"],
    ),
    "several jumped over are one": (
        "0,20,40 2 * * *", "America/New_York", "2026-03-08T06:59",
        ["08 03:00-0400", "09 02:00-0400"],
    ),
    "the time right after the jump is the same run": (
        "0 2-3 * * *", "America/New_York", "2026-03-08T06:00",
        ["08 03:00-0400", "09 02:00-0400"],
    ),
    "half an hour jumped over": (
        "10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00",
        ["04 02:30+1100", "05 02:10+1100"],
    ),
    "half an hour twice": (
        "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00",
        ["05 01:45+1100", "06 01:45+1030"],
    ),
    "midnight jumped over": (
        "0 0 * * *", "America/Havana", "2026-03-07T12:00",
        ["08 01:00-0400", "09 00:00-0400"],
    ),
    "midnight twice": (
        "0 0 * * *", "America/Havana", "2026-10-31T12:00",
        ["01 00:00-0400", "02 00:00-0500"],
    ),
    "a day jumped over": (
        "0 12 * * *", "Pacific/Apia", "2011-12-29T12:00",
        ["29 12:00-1000", "31 00:00+1400", "31 12:00+1400"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FIXED)
def test_a_time_of_the_day_fires_once_whatever_the_clocks_do(case: str) -> None:
    schedule, zone, after, expected = FIXED[case]
    assert _told(next_times(schedule, zone, _at(after), len(expected)), zone) == expected


@pytest.mark.parametrize(("zone", "day"), DAYS)
@pytest.mark.parametrize("schedule", ["*/15 * * * *", "5 * * * *", "*/20 2,3 * * *", "0 */2 * * *"])
def test_a_star_follows_real_time(schedule: str, zone: str, day: str) -> None:
    said = fields(schedule)
    since = _at(day) - timedelta(days=1)
    minutes = [since + timedelta(minutes=number) for number in range(1, 3 * 24 * 60)]
    expected = [
        minute
        for minute in minutes
        for shown in [minute.astimezone(ZoneInfo(zone))]
        if shown.minute in said.minutes and shown.hour in said.hours
    ]
    assert missed(schedule, zone, since, minutes[-1]) == expected


@pytest.mark.parametrize(("zone", "day"), DAYS)
@given(hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_every_day_has_one_run_at_its_time(zone: str, day: str, hour: int, minute: int) -> None:
    since = _at(day) - timedelta(days=2)
    times = next_times(f"{minute} {hour} * * *", zone, since, 4)
    assert all(timedelta() < b - a < timedelta(hours=49) for a, b in pairwise(times))
    shown = [time.astimezone(ZoneInfo(zone)) for time in times]
    usual = [(at.hour, at.minute) == (hour, minute) for at in shown]
    assert usual.count(False) <= 1  # the one right after a jump


@pytest.mark.slow
@given(SCHEDULES)
def test_what_is_accepted_is_understood_as_another_library_does(schedule: str) -> None:
    assume(check(schedule, "p:1:1") is None)
    # cronsim takes N-N/S for N/S
    assume(not any(f"{n}-{n}/" in f",{schedule}".replace(" ", ",") for n in range(61)))
    after = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)
    other = CronSim(schedule, after)
    assert next_times(schedule, "UTC", after, 3) == [next(other) for _ in range(3)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 0 * * 0", ["04", "11"]),
        ("0 0 * * 7", ["04", "11"]),
        ("0 0 * * SUN", ["04", "11"]),
        ("0 0 * * fri-7", ["02", "03"]),
        ("0 0 13 * fri", ["02", "09"]),  # either will do
        ("0 0 */2 * fri", ["09", "23"]),  # a star: both must match
        ("0 0 5-5/3 * *", ["05", "05"]),
        ("0 0 31 2 mon", ["02", "09"]),
    ],
)
def test_days_are_meant_as_cron_means_them(schedule: str, expected: list[str]) -> None:
    assert check(schedule, "p:1:1") is None
    times = next_times(schedule, "UTC", datetime(2026, 1, 1, tzinfo=UTC), 2)
    assert [f"{time:%d}" for time in times] == expected


def test_the_ends_of_what_was_missed() -> None:
    since, until = _at("2026-01-01T02:00"), _at("2026-01-03T02:00")
    found = missed("0 2 * * *", "UTC", since, until)
    assert found == [since + timedelta(days=1), until]
    assert missed("0 2 * * *", "UTC", until, since) == []


def test_leap_days_come() -> None:
    (time,) = next_times("0 0 29 2 *", "UTC", _at("2096-03-01T00:00"), 1)
    assert time == _at("2104-02-29T00:00")

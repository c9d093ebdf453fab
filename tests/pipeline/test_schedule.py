"""Schedules: what is accepted here fires in croniter, which finds the times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from seatrial.pipeline.schedule import check

_NUMBERS = st.integers(0, 70).map(str)
_NAMES = st.sampled_from(["mon", "FRI", "sat", "jan", "Feb", "dec", "x", "L", "?"])
_ATOMS = st.one_of(
    st.just("*"), _NUMBERS, _NAMES, st.builds("{}-{}".format, _NUMBERS | _NAMES, _NUMBERS | _NAMES)
)
_PARTS = _ATOMS | st.builds("{}/{}".format, _ATOMS, st.integers(0, 70))
_FIELDS = st.one_of(st.just("*"), _PARTS, st.lists(_PARTS, min_size=1, max_size=3).map(",".join))


@given(st.lists(_FIELDS, min_size=5, max_size=5).map(" ".join))
def test_what_is_accepted_fires(schedule: str) -> None:
    if check(schedule, "p:1:1") is None:
        assert croniter(schedule, datetime(2026, 1, 1, tzinfo=UTC)).get_next(datetime)


@pytest.mark.parametrize(
    "schedule",
    [
        "0 2 * * *", "*/15 * * * *", "0 0 29 2 *", "5/15 8-17/2 1,15 jan-mar,dec mon-fri",
        "0 0 31 2 mon", "0 12 * * 7", "0 0 * * SUN",
    ],
)  # fmt: skip
def test_ordinary_schedules_are_accepted(schedule: str) -> None:
    assert check(schedule, "p:1:1") is None
    assert croniter.is_valid(schedule)


@pytest.mark.parametrize(
    "schedule",
    ["", "* * * * * *", "60 * * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
     "*/0 * * * *", "a * * * *", "1, * * * *", "* * 30 feb *", "H * * * *", "-1 * * * *",
     "\u0665 * * * *", "*/\u0665 * * * *"],
)  # fmt: skip
def test_what_never_fires_or_is_no_cron_is_refused(schedule: str) -> None:
    mistake = check(schedule, "p:1:1")
    assert mistake
    assert mistake.fix.startswith("five fields")

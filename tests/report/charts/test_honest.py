"""What a picture says is so: its times, its gaps, its peaks, and what it cannot tell."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.report._number import number
from seatrial.report.charts import curve
from seatrial.report.charts.course import Line, course
from seatrial.report.charts.curve import curves
from seatrial.report.charts.forest import Interval, forest
from seatrial.report.charts.histogram import histogram
from seatrial.report.charts.matrix import matrix
from seatrial.report.charts.spark import spark

if TYPE_CHECKING:
    from seatrial.report.section import Chart

PLACE = re.compile(r"[ML](-?[\d.]+) (-?[\d.]+)")


def line_of(chart: Chart) -> str:
    found: list[str] = re.findall(r'<path class="line s0" d="([^"]*)"/>', chart.svg)
    return found[-1]


def ends_of(chart: Chart) -> list[str]:
    return re.findall(r'y="186"[^>]*>([^<]*)<', chart.svg)


def apart(first: str, last: str) -> Chart:
    return course("", "y", [first, last], [Line(name="a", values=[0.0, 1.0])])


@pytest.mark.parametrize(
    ("last", "ends"),
    [
        ("2026-11-26T13:40:05.100+00:00", ["2026-11-26 13:40:05.000", "2026-11-26 13:40:05.100"]),
        ("2026-11-26T13:40:11+00:00", ["2026-11-26 13:40:05", "2026-11-26 13:40:11"]),
        ("2026-11-26T13:59:11+00:00", ["2026-11-26 13:40", "2026-11-26 13:59"]),
        ("2026-11-26T14:59:11+01:00", ["2026-11-26 13:40", "2026-11-26 13:59"]),
    ],
)
def test_both_ends_are_told_apart_and_in_utc(last: str, ends: list[str]) -> None:
    assert ends_of(apart("2026-11-26T13:40:05+00:00", last)) == ends


def test_a_clock_that_was_set_back_turns_no_axis_round() -> None:
    later, earlier = "2026-11-26T13:59:11+00:00", "2026-11-26T13:40:05+00:00"
    assert ends_of(apart(later, earlier)) == ["2026-11-26 13:40", "2026-11-26 13:59"]


def test_times_of_a_table_are_as_fine_as_they_need_to_be() -> None:
    times = [f"2026-11-26T10:00:{second:02d}Z" for second in (0, 20, 40)]
    chart = course("", "y", [*times, "2026-11-26T12:00:00Z"], [Line(name="a", values=[0.0] * 4)])
    assert [row[0] for row in chart.table.rows][:2] == [
        "2026-11-26 10:00:00",
        "2026-11-26 10:00:20",
    ]


def test_the_hour_that_summer_time_repeats_is_as_long_as_any() -> None:
    begin = datetime(2026, 10, 24, 22, tzinfo=ZoneInfo("UTC"))
    berlin = ZoneInfo("Europe/Berlin")
    times = [(begin + timedelta(hours=i)).astimezone(berlin).isoformat() for i in range(6)]
    chart = course("", "y", times, [Line(name="a", values=[float(i) for i in range(6)])])
    x = [float(x) for x, _ in PLACE.findall(line_of(chart))]
    assert x == [0, 200, 400, 600, 800, 1000]
    assert [row[0] for row in chart.table.rows][1:3] == ["2026-10-24 23:00", "2026-10-25 00:00"]


def test_a_week_of_hours_is_drawn_hour_by_hour() -> None:
    begin = datetime(2026, 11, 1, tzinfo=ZoneInfo("UTC"))
    times = [(begin + timedelta(hours=i)).isoformat() for i in range(168)]
    values: list[float | None] = [1.0] * 168
    values[100], values[41] = None, 9.0
    chart = course("", "y", times, [Line(name="a", values=values)])
    assert line_of(chart).count("M") == 2
    assert len(chart.table.rows) == 168


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 998), st.none() | st.floats(0, 1e9))
def test_a_long_course_is_not_drawn_over_what_is_missing(place: int, span_s: float | None) -> None:
    values: list[float | None] = [float(i) for i in range(999)]
    values[place] = None
    begin = datetime(2026, 11, 1, tzinfo=ZoneInfo("UTC"))
    times = [(begin + timedelta(hours=i)).isoformat() for i in range(999)]
    line = Line(name="a", values=values, low=values, high=values)
    chart = course("", "y", times, [line], span_s=span_s)
    whole = place in {0, 998}
    assert line_of(chart).count("M") == 1 + (not whole)
    band = re.findall(r'<path class="band s0" d="([^"]*)"/>', chart.svg)[-1]
    assert band.count("Z") == 1 + (not whole)


def test_what_was_counted_so_far_stays_until_more_is_counted() -> None:
    times = [f"2026-11-{day:02d}T00:00:00Z" for day in (1, 2, 11)]
    line = Line(name="a", values=[0.0, 0.5, 1.0], low=[0.0, 0.4, 0.9], high=[0.1, 0.6, 1.0])
    drawn = line_of(course("", "", times, [line], span_s=86_400))
    found = [(float(x), float(y)) for x, y in PLACE.findall(drawn)]
    assert [x for x, _ in found] == [0, 100, 900, 1000]
    assert found[1][1] == found[2][1] != found[3][1]


def test_a_small_line_keeps_its_peak_and_its_gap() -> None:
    values: list[float | None] = [1.0] * 168
    values[77], values[101] = 50.0, None
    drawn = re.findall(r'd="([^"]*)"', spark(values, "x"))[0]
    assert min(float(y) for _, y in PLACE.findall(drawn)) == 3
    assert drawn.count("M") == 2
    assert len(drawn) < 1500


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=90), st.integers(0, 5))
def test_shares_are_of_all_and_the_axis_begins_at_nothing(counts: list[int], seed: int) -> None:
    names = [str(i) for i in range(len(counts))]
    other = [count + seed for count in counts]
    chart = histogram("x", names, other, counts)
    for column, of in ((1, other), (2, counts)):
        shares = [float(str(row[column]).removesuffix(" %")) for row in chart.table.rows]
        assert math.fsum(shares) == pytest.approx(100 if any(of) else 0, abs=0.06 * len(shares))
    assert ">0 %<" in chart.svg


def test_the_numbers_of_shares_stand_within_the_picture() -> None:
    svg = histogram("x", ["a", "b"], [1, 0], [1, 0]).svg
    for x, said in re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="end">([^<]*%)<', svg):
        assert float(x) >= 6.5 * len(said), said


def test_among_classes_that_stand_together_nothing_is_right_or_wrong() -> None:
    counts = [[5, 1], [2, 40]]
    told = matrix("x", ["a", "7 others"], counts, several=True, right=30)
    assert told.said.startswith("30 of 48 rows were answered rightly")
    assert 'class="cell either"' in told.svg
    unknown = matrix("x", ["a", "7 others"], counts, several=True)
    assert unknown.said.startswith("At least 5 of 48 rows were answered rightly")


def test_errors_among_the_others_are_errors() -> None:
    counts = [[0] * 30 for _ in range(30)]
    for i in range(19):
        counts[i][(i + 1) % 19] = 9
    counts[28][29] = 3
    counts[27][27] = 4
    chart = matrix("x", [f"c{i}" for i in range(30)], counts)
    assert chart.said.startswith("4 of 178 rows were answered rightly")


def test_a_curve_says_how_many_rows_stand_behind_a_point() -> None:
    line = curve.Line(
        name="a", points=[(0.1, 0.2), (math.nan, 0.3), (0.5, 0.5)], rows=[7, 8, 12_345]
    )
    table = curves("calibration", "said", "came true", [line]).table
    assert table.heads[-1] == "rows"
    assert [row[-1] for row in table.rows] == ["7", "12345"]


@pytest.mark.parametrize(
    ("row", "arrow"),
    [
        (Interval(label="p95", value=3.0, low=1.0, limit=2.0, at_least=False), ">no bound →<"),
        (Interval(label="p95", value=3.0, low=1.0, at_least=False), ">no bound →<"),
        (Interval(label="auc", value=0.9, high=0.95, limit=0.8), ">← no bound<"),
        (Interval(label="auc", value=0.9, low=0.85, limit=0.8), None),
        (Interval(label="share", value=0.01, high=0.02, limit=0.1, at_least=False), None),
    ],
)
def test_a_side_without_a_bound_is_open_where_it_decides(row: Interval, arrow: str | None) -> None:
    svg = forest("gates", [row]).svg
    assert ("no bound" in svg) == (arrow is not None)
    assert arrow is None or arrow in svg


def test_gates_say_how_much_was_counted() -> None:
    rows = [Interval(label="a", value=0.9, limit=0.8, n=2500), Interval(label="b", value=0.5)]
    table = forest("gates", rows).table
    assert table.heads == ("gate", "value", "low", "high", "limit", "n", "verdict")
    assert [row[5] for row in table.rows] == ["2500", "-"]


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ([1, 3], [0, 0], "2 bins; no rows of current."),
        ([0, 0], [0, 0], "2 bins; no rows of reference and current."),
        ([], [0, 0], "2 bins; no rows of current."),
        ([], [5, 0], "2 bins; most of current lies in a: 100.0 %."),
    ],
)
def test_where_nothing_was_counted_nothing_moved(
    before: list[float], now: list[float], said: str
) -> None:
    assert histogram("x", ["a", "b"], before, now).said == said


def test_no_zero_is_negative() -> None:
    assert (number(-0.0), number(-0.0, limit=0.5)) == ("0", "0")

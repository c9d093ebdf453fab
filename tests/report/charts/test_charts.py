"""Whatever is drawn: the picture is whole, obeys nothing that others wrote, and keeps its rules."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.report.charts import course, curve
from seatrial.report.charts.course import course as drawn_course
from seatrial.report.charts.curve import curves
from seatrial.report.charts.forest import Interval, forest
from seatrial.report.charts.histogram import histogram
from seatrial.report.charts.matrix import matrix
from seatrial.report.charts.spark import spark
from seatrial.report.section import Badge, Chart

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
MAYBE = st.none() | NUMBERS
TEXTS = st.text(max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", '"><g style="x">', "a & b", "\N{HEBREW LETTER ALEF}", "x" * 300]
)
SHARES = st.floats(0, 1) | NUMBERS
PLACES = re.compile(r"^(x|y|[xy][12]|cx|cy|r|d|width|height|viewBox|transform)$")

INTERVALS = st.builds(
    Interval,
    label=TEXTS,
    value=MAYBE,
    low=MAYBE,
    high=MAYBE,
    limit=MAYBE,
    at_least=st.booleans(),
    verdict=st.sampled_from(["pass", "fail", "inconclusive", "skip", ""]) | TEXTS,
)
CURVES = st.builds(
    curve.Line,
    name=TEXTS,
    points=st.lists(st.tuples(SHARES, SHARES), max_size=40),
    low=st.none() | st.lists(MAYBE, max_size=40),
    high=st.none() | st.lists(MAYBE, max_size=40),
)
COURSES = st.builds(
    course.Line,
    name=TEXTS,
    values=st.lists(MAYBE, max_size=10),
    low=st.none() | st.lists(MAYBE, max_size=10),
    high=st.none() | st.lists(MAYBE, max_size=10),
)
TIMES = st.lists(st.datetimes().map(lambda time: time.isoformat()) | TEXTS, max_size=10)
COUNTS = st.sampled_from([0, 1, 3, 9, 22]).flatmap(
    lambda size: st.lists(
        st.lists(st.sampled_from([0, 1, 77_777, 10**12]), min_size=size, max_size=size),
        min_size=size,
        max_size=size,
    )
)


def whole(svg: str) -> ET.Element:
    """The picture, held to the rules of all pictures."""
    root = ET.fromstring(svg)  # noqa: S314 - what we drew ourselves
    assert root.tag == "svg"
    assert root.get("role") == "img"
    assert root[0].tag == "title"
    for each in root.iter():
        assert each.tag in {"svg", "title", "desc", "g", "path", "line", "rect", "circle", "text"}
        assert not {"style", "onload", "href"} & set(each.keys())
        for name, value in each.items():
            assert name not in {"id", "style"}
            if PLACES.match(name):
                assert not re.search("nan|inf|none|e[+-]", value, re.IGNORECASE), (name, value)
    return root


def held(chart: Chart, title: str) -> None:
    root = whole(chart.svg)
    if title.isprintable() and title.strip():
        assert (root[0].text or "").startswith(title[:100])
    assert chart.said
    for row in chart.table.rows:
        assert len(row) == len(chart.table.heads)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.lists(INTERVALS, max_size=6), st.booleans())
def test_any_gates(title: str, rows: list[Interval], shared: bool) -> None:  # noqa: FBT001
    held(forest(title, rows, shared=shared), title)


@settings(max_examples=40, deadline=None)
@given(
    TEXTS,
    st.lists(TEXTS, max_size=8),
    st.lists(NUMBERS, max_size=8),
    st.lists(NUMBERS, max_size=8),
    st.none() | st.lists(NUMBERS, max_size=9),
)
def test_any_bins(
    title: str,
    names: list[str],
    before: list[float],
    now: list[float],
    edges: list[float] | None,
) -> None:
    held(histogram(title, names, before, now, edges), title)


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, st.lists(CURVES, max_size=8), st.booleans())
def test_any_curves(
    title: str,
    axis: str,
    lines: list[curve.Line],
    diagonal: bool,  # noqa: FBT001
) -> None:
    held(curves(title, axis, axis, lines, diagonal=diagonal), title)


@settings(max_examples=40, deadline=None)
@given(
    TEXTS,
    TIMES,
    st.lists(COURSES, max_size=8),
    st.lists(st.tuples(TEXTS, NUMBERS), max_size=8),
)
def test_any_course(
    title: str, times: list[str], lines: list[course.Line], limits: list[tuple[str, float]]
) -> None:
    held(drawn_course(title, "share", times, lines, limits), title)


@settings(max_examples=20, deadline=None)
@given(TEXTS, COUNTS)
def test_any_confusion(title: str, counts: list[list[int]]) -> None:
    held(matrix(title, [f"<{i}>" for i in range(len(counts))], counts), title)


@settings(max_examples=40, deadline=None)
@given(st.lists(MAYBE, max_size=70), TEXTS)
def test_any_small_line(values: list[float | None], said: str) -> None:
    whole(spark(values, said or "x"))


def test_every_number_of_a_gate_is_in_its_table() -> None:
    row = Interval(label="f1", value=0.8312, low=0.8, high=0.86, limit=0.82, verdict="inconclusive")
    chart = forest("gates", [row])
    assert chart.table.rows == (("f1", "0.8312", "0.8", "0.86", "≥ 0.82", Badge("inconclusive")),)
    assert "1 inconclusive" in chart.said
    assert "0.8312, limit ≥ 0.82" in chart.svg
    assert ">inconclusive<" in chart.svg


def test_a_long_list_of_gates_says_how_many_are_left_out() -> None:
    chart = forest("gates", [Interval(label=str(i), value=1.0) for i in range(130)])
    assert len(chart.table.rows) == 100
    assert chart.table.left_out == 30


def test_gates_on_one_scale_can_be_compared() -> None:
    rows = [Interval(label=str(value), value=value) for value in (0.0, 1.0)]

    def places(chart: Chart) -> list[str]:
        return [dot.attrib["cx"] for dot in whole(chart.svg).iter("circle")]

    low, high = (float(place.rstrip("%")) for place in places(forest("", rows, shared=True)))
    assert low < 10
    assert high > 90
    assert len(set(places(forest("", rows)))) == 1


def test_shares_are_told_of_counts_and_of_shares_alike() -> None:
    of_counts = histogram("x", ["a", "b"], [30, 10], [1, 1])
    of_shares = histogram("x", ["a", "b"], [0.75, 0.25], [0.5, 0.5])
    assert of_counts == of_shares
    assert of_counts.table.rows == (("a", "75.0 %", "50.0 %"), ("b", "25.0 %", "50.0 %"))
    assert "most moved a: 75.0 % reference, 50.0 % current" in of_counts.said


@pytest.mark.parametrize("edges", [None, [], [1.0]])
def test_no_bins_are_no_error(edges: list[float] | None) -> None:
    chart = histogram("x", [], [], [], edges)
    assert (chart.said, chart.table.rows) == ("No bins.", ())
    whole(chart.svg)


def test_a_rare_bin_is_not_told_as_nothing() -> None:
    chart = histogram("x", ["a", "b"], [999_999, 1], [1, 0])
    assert chart.table.rows[1] == ("b", "0.0001 %", "0.0 %")


def test_many_bins_are_joined_and_nothing_is_lost() -> None:
    names = [str(i) for i in range(1000)]
    chart = histogram("x", names, [1] * 1000, [2] * 1000, list(range(1001)))
    assert len(chart.table.rows) <= 60
    assert chart.table.rows[0][0] == "0 … 16"
    assert len(chart.svg) < 3000


@pytest.mark.parametrize("edges", [[1.5, 2.5], [0.5, 1.5, 2.5, 3.5]])
def test_edges_are_written_where_they_lie(edges: list[float]) -> None:
    texts = {
        each.text: float(each.attrib["x"])
        for each in whole(histogram("", ["a", "b", "c"], [1, 1, 1], [1, 1, 1], edges).svg).iter(
            "text"
        )
    }
    assert texts["1.5"] == pytest.approx(44 + 272 / 3, abs=0.2)
    assert texts["2.5"] == pytest.approx(44 + 2 * 272 / 3, abs=0.2)


def test_a_confusion_tells_the_most_frequent_error() -> None:
    chart = matrix("confusion", ["late", "on time"], [[8, 2], [1, 9]])
    assert chart.said == (
        "17 of 20 rows were answered rightly; most often on time was answered for late (2 rows)."
    )
    assert chart.table.rows == (("late", "8", "2"), ("on time", "1", "9"))


def test_of_many_classes_the_worst_are_shown_and_no_row_is_lost() -> None:
    counts = [[100 if i == j else 0 for j in range(30)] for i in range(30)]
    counts[29][28] = 7
    chart = matrix("confusion", [f"c{i}" for i in range(30)], counts)
    assert chart.table.heads[-3:] == ("c28", "c29", "11 others")
    assert len(chart.table.rows) == 20
    assert sum(int(str(cell)) for row in chart.table.rows for cell in row[1:]) == 3007


def test_a_course_has_gaps_where_nothing_was() -> None:
    times = [f"2026-11-2{i}T00:00:00+00:00" for i in range(5)]
    line = course.Line(name="differ", values=[0.1, 0.2, None, 0.3, 0.2])
    chart = drawn_course("shadow", "share", times, [line], [("limit", 0.25)])
    drawn = [path.attrib["d"] for path in whole(chart.svg).iter("path")]
    assert any(path.count("M") == 2 for path in drawn)
    assert chart.table.heads == ("time (UTC)", "differ", "limit")
    assert chart.table.rows[2] == ("2026-11-22 00:00", "-", "0.25")
    assert "differ ended at 0.2; limit is 0.25" in chart.said


def test_times_lie_where_they_are_and_not_one_beside_the_other() -> None:
    times = ["2026-11-20T00:00:00Z", "2026-11-20T01:00:00Z", "2026-11-20T10:00:00Z"]
    svg = drawn_course("", "y", times, [course.Line(name="a", values=[0, 1, 0])]).svg
    assert "L100 " in svg


def test_of_a_long_course_the_first_and_last_are_shown() -> None:
    times = [f"2026-01-01T{i // 60:02d}:{i % 60:02d}:00" for i in range(1000)]
    line = course.Line(name="a", values=[float(i) for i in range(1000)])
    chart = drawn_course("", "y", times, [line])
    assert (chart.table.rows[0][1], chart.table.rows[-1][1]) == ("0", "999")
    assert len(chart.table.rows) == 200
    assert chart.table.left_out == 800


def test_names_of_limits_that_lie_near_each_other_do_not_cover_one_another() -> None:
    limits = [("one", 0.5), ("other", 0.5001)]
    times = ["2026-01-01T00:00:00", "2026-01-02T00:00:00"]
    svg = drawn_course("", "y", times, [course.Line(name="a", values=[0.0, 1.0])], limits).svg
    heights = [float(e.attrib["y"]) for e in whole(svg).iter("text") if e.get("class") == "name"]
    assert abs(heights[0] - heights[1]) >= 12


def test_a_curve_keeps_its_bounds_with_its_points() -> None:
    line = curve.Line(
        name="candidate", points=[(0.1, 0.2), (0.5, float("nan"))], low=[0.1, 0.2], high=[0.3, None]
    )
    chart = curves("calibration", "predicted", "observed", [line], diagonal=True)
    assert chart.table.rows == (("candidate", "0.1", "0.2", "0.1", "0.3"),)
    assert "whisker" in chart.svg
    assert "diagonal" in chart.svg


def test_a_number_far_off_all_others_is_an_arrow_and_leaves_room_for_them() -> None:
    rows = [Interval(label=f"c{i}", value=i / 100, low=0, high=i / 50, limit=0.1) for i in range(9)]
    rows.append(Interval(label="odd", value=5.0, low=4.0, high=6.0, limit=0.1, at_least=False))
    chart = forest("kl", rows, shared=True)
    root = whole(chart.svg)
    dots = [float(dot.attrib["cx"].rstrip("%")) for dot in root.iter("circle")]
    assert len(dots) == 9
    assert max(dots) - min(dots) > 30
    assert sum(path.get("class") == "cut" for path in root.iter("path")) == 1
    assert ">6 →<" in chart.svg
    assert "1 of them reaches beyond the scale" in chart.said


def test_a_bound_far_off_does_not_hide_how_near_the_limit_is() -> None:
    row = Interval(label="p95", value=1.05, low=0.98, high=62.88769858, limit=1.5, at_least=False)
    chart = forest("ratio", [row])
    assert ">62.89 →<" in chart.svg
    assert ">1.05, limit ≤ 1.5<" in chart.svg
    assert chart.table.rows[0][3] == "62.89"


def test_a_limit_has_four_digits_unless_more_decide() -> None:
    row = Interval(label="p95", value=40.0, limit=62.88769858, at_least=False)
    assert forest("ratio", [row]).table.rows[0][4] == "≤ 62.89"
    near = Interval(label="p95", value=62.888, limit=62.88769858, at_least=False)
    assert forest("ratio", [near]).table.rows[0][4] == "≤ 62.8877"


def test_edges_that_are_written_alike_are_written_once() -> None:
    edges = [math.nextafter(1.0, 0.0), 1.0, 2.0, 3.0, 5.0]
    shown = histogram("month", ["<= 0", "1", "2", "3", "4 to 5", "> 5"], [0, 1, 1, 1, 1, 0],
                      [0, 0, 0, 0, 4, 0], edges)  # fmt: skip
    below = re.findall(r'y="151"[^>]*>([^<]+)<', shown.svg)
    assert below == ["1", "2", "3", "5"]

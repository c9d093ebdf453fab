"""What was asked within an hour: each row once, and nothing of other hours."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.traffic.conftest import MIXED, recorded

from seatrial.data.profiles.as_read import profiled
from seatrial.inference.answer import Answer
from seatrial.traffic.hourly import counted
from seatrial.traffic.span import Span, hours_of, oldest

if TYPE_CHECKING:
    from tests.traffic.conftest import Traffic

BEGIN = datetime(2026, 11, 5, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHAPES = [
    column.shape
    for column in profiled({n: np.arange(4, dtype=np.float32) for n in ("a", "b")}).columns
]


def span(begin: datetime = BEGIN, until: datetime | None = None) -> Span:
    return Span(model="m", version=3, since=begin, until=until or begin + HOUR)


def rows(traffic: Traffic, begin: datetime = BEGIN) -> int:
    return counted(traffic.folder, span(begin), SHAPES).rows


def test_rows_count_in_the_hour_of_their_answer(traffic: Traffic) -> None:
    traffic.clock.time = BEGIN - timedelta(seconds=1)
    traffic.ask("a", rows=2)
    traffic.clock.time = BEGIN
    traffic.ask("b", rows=3)  # into the stream of the hour before, which nobody has closed yet
    traffic.clock.time = BEGIN + HOUR - timedelta(microseconds=1)
    traffic.log().roll()
    traffic.ask("c", rows=4)
    late = traffic.asked("d", rows=5)  # answered in this hour, written in the next
    traffic.clock.time = BEGIN + HOUR
    traffic.log().roll()
    traffic.log().append([late])
    traffic.ask("e", rows=6)
    assert [rows(traffic, BEGIN + n * HOUR) for n in (-1, 0, 1)] == [2, 12, 6]
    assert hours_of(traffic.folder, "m", 3) == [BEGIN - HOUR, BEGIN, BEGIN + HOUR]
    assert oldest(traffic.folder, "m") == BEGIN - HOUR


@pytest.mark.parametrize("rolled", [True, False])
def test_what_a_killed_writer_wrote_twice_counts_once(
    traffic: Traffic,
    rolled: bool,  # noqa: FBT001 - a table
) -> None:
    first, again = traffic.asked("a", rows=2), traffic.asked("b")
    traffic.log().append([first, again])
    traffic.logs.pop("W").close()
    traffic.log().append([again, traffic.asked("c")])
    traffic.log().append([again])
    if rolled:
        traffic.log().roll(everything=True)
    assert rows(traffic) == 4


def test_counts_are_of_the_columns_that_were_logged(traffic: Traffic) -> None:
    features = {"a": np.array([0, 3, 9], np.float32), "b": np.full(3, np.nan, np.float32)}
    answer = Answer(np.zeros(3, np.int64), np.ones((3, 2), np.float32))
    traffic.log().append([recorded(traffic.head(), traffic.clock.us, "x", features, answer)])
    found = counted(traffic.folder, span(), SHAPES)
    a, b = found.columns
    assert (found.rows, sum(a.counts), b.missing, sum(b.counts)) == (3, 3, 3, 0)
    assert a.counts[1] == a.counts[-2] == a.counts[-1] == 1
    traffic.clock.move(hours=1)
    traffic.log().redact({"m": ("a",)})
    traffic.ask("y")
    found = counted(traffic.folder, span(BEGIN + HOUR), SHAPES)
    assert (found.rows, [c.name for c in found.columns], found.unlogged) == (1, ["b"], ("a",))


def test_every_column_redacted(traffic: Traffic) -> None:
    traffic.log().redact({"m": ("a", "b")})
    traffic.ask("x", rows=4)
    found = counted(traffic.folder, span(), SHAPES)
    assert (found.rows, found.columns, found.unlogged) == (4, (), ("a", "b"))


def test_texts_and_classes(traffic: Traffic) -> None:
    traffic.versions[3] = MIXED
    training = {
        "from": np.array(["ort 1", "ort 2"], object),
        "to": np.array(["ort 1", "x"], object),
        "a": np.zeros(2, np.float32),
        "b": np.zeros(2, np.float32),
    }
    traffic.ask("x", rows=500)
    shapes = [column.shape for column in profiled(training).columns]
    place, to, *_ = counted(traffic.folder, span(), shapes).columns
    assert sum(place.counts) + place.other == sum(to.counts) + to.other == 500
    assert 60 < place.other < 500
    assert to.counts[1] == 0


def test_a_damaged_file_is_left_out_and_told(traffic: Traffic) -> None:
    traffic.ask("a", rows=2)
    traffic.log().roll(everything=True)
    traffic.ask("b", rows=3)
    traffic.log().roll(everything=True)
    broken = min(traffic.version_folder.glob("*.parquet"))
    broken.write_bytes(broken.read_bytes()[:-30])
    found = counted(traffic.folder, span(), SHAPES)
    assert found.rows == 3
    assert found.damaged[0].startswith(broken.name)


def test_no_log_is_no_row(traffic: Traffic) -> None:
    assert rows(traffic) == 0
    traffic.ask("a")
    assert rows(traffic, BEGIN + 5 * HOUR) == 0
    shutil.rmtree(traffic.folder)
    assert oldest(traffic.folder, "m") is None

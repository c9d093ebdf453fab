"""What the supervisor reports of a shadow test: the tally of its process, and how it grew."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.evidence.agreement import Tally
from seatrial.evidence.course import Course
from seatrial.gateway.board import Board
from seatrial.gateway.cells import Cells
from seatrial.serve.child import Child
from seatrial.serve.shadowing import REPORT_S, Shadowing

if TYPE_CHECKING:
    from seatrial.serve.shadowing import Report

CELLS = Cells(workers=1)
TEST = "R1/beside.shadow_tests"


def unstarted(identity: str, _slot: int) -> Child:
    """Its process is never due; the test writes what it would."""
    return Child(identity, "none", (), (), lambda *_, **__: None, _due_s=math.inf)


def tell(board: Board, second: int, reached: int) -> None:
    tally = Tally(seen=reached, sampled=reached, reached=reached, compared=reached, disagreed=1)
    document = {"shadow": TEST, "pid": 1, "scoring": None, "beat_us": second * 1_000_000}
    board.write(CELLS.shadows[0], {**document, "tally": tally.to_json()})


def moments(report: Report) -> list[tuple[int, int]]:
    course = Course.from_json(report.tally["course"])
    return [(each.at_us // 1_000_000, each.reached) for each in course.moments]


def test_reports_carry_how_the_tally_grew_also_past_a_death_of_its_process() -> None:
    board = Board.create(CELLS.count)
    shadowing = Shadowing(board, CELLS, unstarted)
    shadowing.tend(0.0, [{"id": TEST}])
    assert [*shadowing.reports(10.0)] == []
    for second, reached in ((1, 0), (2, 30)):
        tell(board, second, reached)
        (report,) = shadowing.reports(10.0 + second * REPORT_S)
    assert moments(report) == [(1, 0), (2, 30)]
    # a new process goes on from the cell, and the supervisor remembers what was before
    tell(board, 9, 35)
    (last,) = shadowing.last()
    assert moments(last) == [(1, 0), (2, 30), (9, 35)]
    assert Tally.from_json(last.tally).reached == 35


def test_the_last_report_of_a_test_that_ended_is_whole() -> None:
    board = Board.create(CELLS.count)
    shadowing = Shadowing(board, CELLS, unstarted)
    shadowing.tend(0.0, [{"id": TEST}])
    tell(board, 1, 10)
    assert [*shadowing.reports(5.0)]
    tell(board, 2, 20)
    shadowing.tend(6.0, [])
    shadowing.tend(6.1, [])
    (report,) = shadowing.reports(6.1)
    assert moments(report) == [(1, 10), (2, 20)]
    assert shadowing.children == []

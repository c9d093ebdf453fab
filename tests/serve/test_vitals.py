"""What the workers have told, added up: none that starts late or is replaced looks like harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.gateway.board import Board
from seatrial.gateway.cells import Cells
from seatrial.gateway.counts import Book
from seatrial.serve.vitals import Gauge

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def gauge() -> Iterator[Gauge]:
    cells = Cells(3)
    board = Board.create(cells.count)
    yield Gauge(board, cells)
    board.close()


def tell(gauge: Gauge, worker: int, pid: int, answered: int = 0) -> None:
    book = Book()
    for _ in range(answered):
        book.of("m", 2).answered(rows=1, took_us=150)
    gauge.board.write(worker, {"pid": pid, "counts": book.to_json()})


def test_workers_that_tell_late_have_not_died(gauge: Gauge) -> None:
    for worker in gauge.cells.of_workers:
        gauge.look()
        tell(gauge, worker, pid=100 + worker)
    gauge.look()
    assert gauge.vitals("m", 2).crashed == 0


def test_a_worker_that_another_replaced_has_died(gauge: Gauge) -> None:
    worker = gauge.cells.of_workers[0]
    for pid in (100, 100, 200, 200, 300):
        tell(gauge, worker, pid)
        gauge.look()
    assert gauge.vitals("m", 2).crashed == 2


def test_what_all_workers_answered_is_added_up(gauge: Gauge) -> None:
    for worker in gauge.cells.of_workers:
        tell(gauge, worker, pid=100 + worker, answered=worker + 1)
    gauge.look()
    total = sum(worker + 1 for worker in gauge.cells.of_workers)
    assert gauge.vitals("m", 2).answered == total
    assert sum(gauge.times("m", 2)) == total
    p99_us = gauge.p99_us(gauge.times("m", 2))
    assert p99_us is not None
    assert 100 < p99_us <= 200
    assert gauge.vitals("m", 1).answered == 0
    assert gauge.p99_us(gauge.times("m", 1)) is None

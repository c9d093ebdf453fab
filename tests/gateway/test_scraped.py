"""What a gateway's metrics say is read back as it was counted, and never waited for long."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from seatrial.errors import PassingError
from seatrial.gateway import telemetry
from seatrial.gateway.board import Board
from seatrial.gateway.cells import Cells
from seatrial.gateway.counts import Book
from seatrial.gateway.scraped import counts_of, scrape

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = 'a "model"\\n,version="9"} 1\n<b>'


class Page(BaseHTTPRequestHandler):
    """What stands at the port of a gateway."""

    status: ClassVar = 200
    body: ClassVar = b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    page = type("Answer", (Page,), {"status": status, "body": body})
    with HTTPServer(("127.0.0.1", 0), page) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server.server_port
        server.shutdown()


def test_what_is_written_is_read_back() -> None:
    cells = Cells(2)
    board = Board.create(cells.count)
    book = Book()
    for model, version in (("late", 3), (HOSTILE, 1), ("late", 0)):
        counts = book.of(model, version)
        for took_us in (50, 150, 150, 10_000_000):
            counts.answered(2, took_us)
        counts.errors += 1
    for cell in cells.of_workers:
        board.write(cell, {"counts": book.to_json(), "pid": 1, "ready": True})
    found = counts_of(telemetry.text(board, 2))
    board.close()
    assert set(found) == {("late", 3), (HOSTILE, 1), ("late", 0)}
    for counted in found.values():
        assert (counted.requests, counted.rows, counted.errors) == (8, 16, 2)
        assert (counted.buckets[0], counted.buckets[1], counted.buckets[-1]) == (2, 4, 2)
        assert sum(counted.buckets) == 8


def test_it_is_asked_over_http() -> None:
    body = b'seatrial_requests_total{model="late",version="3"} 1e+20\n# HELP\nother 1\n'
    with answering(200, body) as port:
        assert scrape("127.0.0.1", port).counts["late", 3].requests == 10**20


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, b"", "it answers with status 503"),
        (200, b"\xff", "codec can't decode"),
        (200, b'seatrial_requests_total{model="x"} 1', "version"),
        (200, b'seatrial_requests_total{model="x",version="y"} 1', "invalid literal"),
    ],
)
def test_who_is_no_gateway_is_in_the_way(status: int, body: bytes, why: str) -> None:
    with answering(status, body) as port, pytest.raises(PassingError, match=why):
        scrape("127.0.0.1", port)


def test_who_does_not_answer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(PassingError, match=r"no answer within 0\.05 s"):
            scrape("127.0.0.1", port, timeout_s=0.05)
    with pytest.raises(PassingError, match="refused"):
        scrape("127.0.0.1", port)

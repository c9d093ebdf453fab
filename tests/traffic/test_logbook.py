"""How soon what came is on the disk: labels at once, predictions alone once a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from seatrial.gateway.board import Board
from seatrial.gateway.logbook import IDLE_S, LABEL_S, TELL_S, Logbook
from seatrial.gateway.ring import Ring
from seatrial.ledger.blobs import Blobs
from seatrial.traffic import labels, reading, record

from .conftest import NUMBERS, drawn, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import Traffic


class Gateway:
    """Two workers' rings and the writer's logbook, with times that the test tells."""

    def __init__(self, home: Path, traffic: Traffic) -> None:
        self.home, self.traffic = home, traffic
        self.digest = Blobs(home / "blobs").put(orjson.dumps({"signature": NUMBERS.to_json()}))
        self.board, self.rings = Board.create(2), [Ring.create(), Ring.create()]
        self.board.publish({"models": [{"name": "m", "settings": {"redact": []}}], "shadows": []})
        self.logbook = Logbook(self.board, 1, self.rings, home, "W", lambda *_, **__: None)

    def ask(self, identity: str, ring: int = 0) -> None:
        head = record.head("m", 3, self.digest)
        raw = recorded(head, 1, identity, *drawn(NUMBERS, 1, self.traffic.random))
        assert self.rings[ring].put(raw)

    def label(self, identity: str, ring: int = 0) -> None:
        told = [(identity, [1])]
        assert self.rings[ring].put(record.of_labels("m", 2, told, self.digest, 3))

    @property
    def logged(self) -> tuple[list[str], list[str]]:
        """The ids of predictions and of labels."""
        asked = reading.read(self.home / "traffic", "m")
        told = labels.read(self.home / "traffic", "m")
        return (
            asked[3]["id"].to_pylist() if asked else [],
            told["id"].to_pylist() if told is not None else [],
        )


@pytest.fixture
def gateway(tmp_path: Path, traffic: Traffic) -> Iterator[Gateway]:
    made = Gateway(tmp_path, traffic)
    yield made
    made.board.close()
    for ring in made.rings:
        ring.close()


def test_a_label_is_soon_on_the_disk_with_all_that_came_before(gateway: Gateway) -> None:
    now_s = 1000.0
    gateway.ask("first")
    gateway.logbook.turn(now_s)
    assert gateway.logged == (["first"], [])
    gateway.ask("r1", ring=1)
    gateway.logbook.turn(now_s + IDLE_S)
    gateway.label("r1")
    gateway.ask("r2")
    gateway.logbook.turn(now_s + 2 * IDLE_S)
    gateway.logbook.turn(now_s + 2 * IDLE_S + LABEL_S - 0.01)
    assert gateway.logged == (["first"], [])
    gateway.logbook.turn(now_s + 2 * IDLE_S + LABEL_S)
    assert gateway.logged == (["first", "r1", "r2"], ["r1"])


def test_predictions_alone_wait_for_their_second(gateway: Gateway) -> None:
    gateway.ask("first")
    gateway.logbook.turn(1000.0)
    for turn in range(1, 10):
        gateway.ask(f"r{turn}")
        gateway.logbook.turn(1000.0 + turn * TELL_S / 10)
        assert gateway.logged == (["first"], [])
    gateway.logbook.turn(1000.0 + TELL_S)
    assert len(gateway.logged[0]) == 10


def test_a_label_does_not_hurry_a_disk_that_refuses(gateway: Gateway) -> None:
    (gateway.home / "traffic").write_text("a file is in the way")
    gateway.ask("r1")
    gateway.logbook.turn(1000.0)
    gateway.logbook.turn(1000.2)  # the second attempt: the next is 0.4 s later
    (gateway.home / "traffic").unlink()
    gateway.label("r1")
    gateway.logbook.turn(1000.25)
    gateway.logbook.turn(1000.25 + LABEL_S)
    assert gateway.logged == ([], [])
    gateway.logbook.turn(1000.6)
    assert gateway.logged == (["r1"], ["r1"])

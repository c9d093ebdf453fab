"""What logging one request of 20 numbers costs: the worker that answers, and the writer."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import orjson

from measuring import Figure
from seatrial.gateway.board import Board
from seatrial.gateway.identity import uuid7
from seatrial.gateway.logbook import Logbook
from seatrial.gateway.ring import Ring
from seatrial.inference.answer import Answer
from seatrial.inference.signature import Input, Signature
from seatrial.ledger.blobs import Blobs
from seatrial.traffic import record

ROUNDS = 7
MANY = 50_000
FULL, FEW = 1000, 50
"""Records in the writer's batch: under load, and at fifty requests a second."""

COLUMNS = 20
LIMIT_US = 2.0
SIGNATURE = Signature(
    tuple(Input(f"feature_{number}", "FP32") for number in range(COLUMNS)), "classes", (0, 1)
)


def figures() -> list[Figure]:
    """Processor time of one process that plays both parts, each measured apart."""
    with tempfile.TemporaryDirectory() as name:
        full = [_round(Path(name) / f"full-{n}", FULL, MANY) for n in range(ROUNDS)]
        few = [_round(Path(name) / f"few-{n}", FEW, MANY // 10) for n in range(ROUNDS)]
    put_us = statistics.median(put for put, _ in full)
    write_us = statistics.median(write for _, write in full)
    few_us = statistics.median(write for _, write in few)
    return [
        Figure(
            name="a record made and put into the ring",
            value=put_us,
            unit="us of processor",
            goal=f"at most {LIMIT_US:g} us",
            met=put_us <= LIMIT_US,
            detail="all that logging and shadow add to a request",
        ),
        Figure(
            name="a record from the ring to the stream to Parquet",
            value=write_us,
            unit="us of processor",
            detail=f"the writer, {FULL} at a time; {few_us:.1f} us at {FEW} at a time",
        ),
    ]


def _round(home: Path, batch: int, many: int) -> tuple[float, float]:
    """Microseconds of processor a record: of the one who puts, of the writer."""
    board, ring = Board.create(2), Ring.create()
    digest = Blobs(home / "blobs").put(orjson.dumps({"signature": SIGNATURE.to_json()}))
    settings: dict[str, object] = {"redact": []}
    board.publish({"models": [{"name": "m", "settings": settings}]})
    logbook = Logbook(board, 1, [ring], home, "W", lambda *_, **__: None)
    head = record.head("m", 3, digest)
    matrix = np.random.default_rng(0).normal(size=(1, COLUMNS)).astype(np.float32)
    answer = Answer(np.array([1]), np.array([[0.25, 0.75]], np.float32))
    ids = [uuid7(time.time_ns() // 1_000_000).encode() for _ in range(many)]
    put_s = write_s = 0.0
    for begin in range(0, many, batch):
        began = time.process_time()
        for identity in ids[begin : begin + batch]:
            ring.put(record.of_matrix(head, time.time_ns() // 1000, 80, identity, matrix, answer))
        put = time.process_time()
        # every batch is one of a second of its own, so that it is written whatever its size
        logbook.turn(2.0 * begin)
        written = time.process_time()
        put_s += put - began
        write_s += written - put
    began = time.process_time()
    logbook.finish(time.monotonic)
    write_s += time.process_time() - began
    told = board.read(1) or {}
    if told.get("written") != many:
        raise RuntimeError(f"not all was written: {told}")
    board.close()
    ring.close()
    return put_s / many * 1e6, write_s / many * 1e6

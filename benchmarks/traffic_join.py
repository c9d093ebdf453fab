"""A million logged predictions, a million labels: how long until they are brought together?"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from measuring import Figure
from seatrial.gateway.identity import uuid7
from seatrial.inference.answer import Answer
from seatrial.inference.signature import Input, Signature
from seatrial.traffic import record
from seatrial.traffic.coverage import coverage
from seatrial.traffic.log import TrafficLog
from seatrial.traffic.pairing import labelled

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
MANY = 1_000_000
AN_HOUR = 100_000
BATCH = 10_000
CORES = 2
LIMIT_S = 1.0

COLUMNS = 20
SIGNATURE = Signature(
    tuple(Input(f"feature_{number}", "FP32") for number in range(COLUMNS)), "classes", (0, 1)
)
DIGEST = "sha256:" + 64 * "0"
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def figures() -> list[Figure]:
    """On two cores, the files in the page cache, one of ten files still a stream."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:CORES])
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _fill(folder)
            joined = coverage(folder, "m")
            if (joined.predictions, joined.labelled, joined.unknown) != (MANY, MANY, 0):
                raise RuntimeError(f"the join is wrong: {joined}")
            join_s = _median_s(lambda: coverage(folder, "m", threads=CORES))
            rows_s = _median_s(lambda: labelled(folder, "m", None, None, None, SIGNATURE))
    finally:
        os.sched_setaffinity(0, before)
    return [
        Figure(
            name="10^6 predictions joined with 10^6 labels",
            value=join_s,
            unit="s",
            goal=f"under {LIMIT_S:g} s on {CORES} cores",
            met=join_s < LIMIT_S,
            detail="coverage and delay, from the files; UUIDs, labels in another order",
        ),
        Figure(
            name="10^6 labelled rows with their 20 features and answers",
            value=rows_s,
            unit="s",
            detail="as arrays, ready for another version to answer",
        ),
    ]


def _fill(folder: Path) -> None:
    random = np.random.default_rng(0)
    now = [BEGIN]
    log = TrafficLog(folder, "W", lambda: now[0], lambda _: SIGNATURE)
    log.redact({"m": ()})
    head = record.head("m", 3, DIGEST)
    ids: list[str] = []
    for begin in range(0, MANY, BATCH):
        now[0] = BEGIN + timedelta(hours=begin // AN_HOUR)
        log.roll()
        us = int(now[0].timestamp() * 1e6)
        fresh = [uuid7(us // 1000) for _ in range(BATCH)]
        cells = random.normal(size=(BATCH, 1, COLUMNS)).astype(np.float32)
        answer = Answer(np.array([1]), np.array([[0.25, 0.75]], np.float32))
        log.append(
            [
                record.of_matrix(head, us + n, 80, identity.encode(), matrix, answer)
                for n, (identity, matrix) in enumerate(zip(fresh, cells, strict=True))
            ]
        )
        ids += fresh
    order = random.permutation(MANY).tolist()
    for begin in range(0, MANY, BATCH):
        now[0] = BEGIN + timedelta(hours=24 + begin // AN_HOUR)
        log.roll()
        told = [(ids[number], [1]) for number in order[begin : begin + BATCH]]
        us = int(now[0].timestamp() * 1e6) + begin
        log.append([record.of_labels("m", us, told, DIGEST, 3)])


def _median_s(run: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)

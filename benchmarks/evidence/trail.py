"""What one label costs to remember, and one verdict to reach; fast, and small."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

import numpy as np

from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import Rule, judge

ROUNDS = 9
ADDED = 10_000
JUDGED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Microseconds of processor a label, one at a time and by the hundred; bytes in memory."""

    one_us: float
    hundred_us: float
    judge_ms: float
    memory_bytes: int
    json_bytes: int


def cost(*, counted: bool) -> Cost:
    """The least of several rounds: what disturbs only ever adds."""
    rule = Rule(counted=counted)
    rng = np.random.default_rng(0)
    d = rng.choice([-1.0, 0.0, 1.0], ADDED, p=[0.04, 0.92, 0.04])
    if not counted:
        d *= rng.uniform(0.1, 1.0, ADDED)
    ones = [d[place : place + 1] for place in range(ADDED)]
    hundreds = [d[place : place + 100] for place in range(0, ADDED, 100)]
    trail = Trail.empty(rule)
    for bucket in range(rule.buckets):
        trail.add(d, bucket)
    return Cost(
        one_us=min(_added(rule, ones) for _ in range(ROUNDS)) / ADDED * 1e6,
        hundred_us=min(_added(rule, hundreds) for _ in range(ROUNDS)) / ADDED * 1e6,
        judge_ms=min(_judged(rule, trail) for _ in range(ROUNDS)) / JUDGED * 1e3,
        memory_bytes=trail.cells.itemsize * len(trail.cells),
        json_bytes=len(json.dumps(trail.to_json(), separators=(",", ":"))),
    )


def _added(rule: Rule, batches: list[np.ndarray]) -> float:
    trail = Trail.empty(rule)
    began = time.process_time()
    for batch in batches:
        trail.add(batch, 7)
    return time.process_time() - began


def _judged(rule: Rule, trail: Trail) -> float:
    began = time.process_time()
    for _ in range(JUDGED):
        judge("error", trail, rule)
    return time.process_time() - began

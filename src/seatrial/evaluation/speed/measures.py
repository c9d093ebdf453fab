"""What times, memory and size say, as measures with their limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.speed.beside import ratio
from seatrial.evaluation.speed.blocks import blocks
from seatrial.evaluation.speed.quantiles import quantile
from seatrial.evaluation.speed.rivals import BATCH, LARGE, ONE_ROW
from seatrial.outcome import Direction, Measure, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.evaluation.speed.asking import Times
    from seatrial.evaluation.speed.limits import Latency

SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
BESIDE = ("p50", "p95")
"""What is judged beside production: of the slowest hundredth a few rounds know too little."""

_MS = 1e6


def one_row(times: Mapping[int, Times], latency: Latency) -> Iterator[Measure]:
    """p50, p95 and p99 of one row in ms; and p95 as the clock on the wall had it."""
    taken = times[ONE_ROW.rows]
    for name, share in SHARES.items():
        yield _latency(f"latency_ms.{name}", taken, share, limit=latency.absolute[name])
    yield _latency("latency_wall_ms.p95", taken, SHARES["p95"], wall=True)


def beside(times: Mapping[int, Times], latency: Latency, *, compared: bool) -> Iterator[Measure]:
    """The candidate's times over production's, and production's own, which are reported.

    The ratios are skipped when there is no other version.
    """
    taken = times[ONE_ROW.rows]
    of_block = blocks(taken.round)
    for name in BESIDE:
        called = f"latency_ratio.{name}"
        if not compared:
            yield Measure(name=called, value=None, direction=Direction.AT_MOST)
            continue
        mine, theirs = (np.asarray(each) for each in taken.own)
        found = ratio(mine, theirs, SHARES[name], of_block)
        limit = latency.ratio(found.production / _MS)
        yield Measure(
            name=called,
            value=found.value,
            low=found.low,
            high=_known(found.high),
            limit=limit,
            direction=Direction.AT_MOST,
            n=found.n,
            verdict=judge(found.low, found.high, limit, Direction.AT_MOST),
        )
    if compared:
        for name, share in SHARES.items():
            yield _latency(f"latency_ms.{name}.production", taken, share, place=1)


def batches(
    times: Mapping[int, Times], rows_per_s: float | None, *, compared: bool = False
) -> Iterator[Measure]:
    """Batches in ms, reported; and rows a second in the largest, by their median time."""
    for size in (BATCH, LARGE):
        if size.rows in times:
            for name in BESIDE:
                called = f"latency_ms.{name} of {size.rows} rows"
                yield _latency(called, times[size.rows], SHARES[name])
    yield _throughput("throughput.rows_per_s", times, rows_per_s)
    if compared:
        yield _throughput("throughput.rows_per_s.production", times, place=1)


def needed(name: str, megabytes: list[float], limit: float | None) -> Measure:
    """Memory or size; the least and the most where it was measured several times."""
    low, high = min(megabytes), max(megabytes)
    return Measure(
        name=name,
        value=float(np.median(megabytes)),
        low=low,
        high=high,
        limit=limit,
        direction=Direction.AT_MOST,
        n=len(megabytes),
        verdict=_judged(low, high, limit, Direction.AT_MOST),
    )


def interrupted(times: Times) -> float:
    """The share of the requests of the first version during which others had the processor."""
    lost = np.asarray(times.wall[0]) - np.asarray(times.own[0])
    return float(np.mean(lost > 0)) if len(lost) else 0.0


def _latency(
    name: str,
    taken: Times,
    share: float,
    limit: float | None = None,
    *,
    wall: bool = False,
    place: int = 0,
) -> Measure:
    """A quantile of the times of the version at ``place``: the candidate's, or production's."""
    values: Any = np.asarray((taken.wall if wall else taken.own)[place]) / _MS
    found = quantile(values, share, taken.round)
    return Measure(
        name=name,
        value=found.value,
        low=found.low,
        high=_known(found.high),
        limit=limit,
        direction=Direction.AT_MOST,
        n=found.n,
        verdict=_judged(found.low, found.high, limit, Direction.AT_MOST),
    )


def _throughput(
    name: str, times: Mapping[int, Times], limit: float | None = None, *, place: int = 0
) -> Measure:
    rows = max(times)
    found = quantile(np.asarray(times[rows].own[place]), SHARES["p50"], times[rows].round)
    per_s = rows * 1e9
    low = per_s / found.high if math.isfinite(found.high) else 0.0
    high = per_s / found.low if found.low else math.inf
    return Measure(
        name=name,
        value=per_s / found.value,
        low=low,
        high=_known(high),
        limit=limit,
        direction=Direction.AT_LEAST,
        n=found.n,
        verdict=_judged(low, high, limit, Direction.AT_LEAST),
    )


def _judged(low: float, high: float, limit: float | None, direction: Direction) -> Verdict:
    return Verdict.SKIP if limit is None else judge(low, high, limit, direction)


def _known(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None

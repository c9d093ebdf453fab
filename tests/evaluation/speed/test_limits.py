"""What the pipeline file may say of time, memory and size."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.evaluation.speed.limits import Latency, Speed, demanded


@pytest.mark.parametrize(
    ("said", "production_ms", "most"),
    [
        ({}, 0.1, 51.0),  # 5 ms more is what counts for a fast one
        ({}, 100.0, 2.0),
        ({"times": 1.5}, 0.1, 1.5),  # said alone, it stands alone
        ({"plus_ms": 5}, 10.0, 1.5),
        ({"plus_ms": 0}, 10.0, 1.0),
        ({"times": 1.2, "plus_ms": 1}, 10.0, 1.2),
        ({"times": 1.2, "plus_ms": 5}, 10.0, 1.5),
    ],
)
def test_whichever_is_more_is_allowed(
    said: dict[str, float], production_ms: float, most: float
) -> None:
    assert msgspec.convert(said, Latency).ratio(production_ms) == pytest.approx(most)


@pytest.mark.parametrize(
    "said",
    [
        {"latency": {"p95": 5}},
        {"latency": {"p95_ms": 0}},
        {"latency": {"times": 0.9}},
        {"latency": {"plus_ms": -1}},
        {"throughput": {"rows_per_s": -1}},
        {"memory_mb": 0},
        {"size_mb": "small"},
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Speed)


@pytest.mark.parametrize(
    ("latency", "line"),
    [
        (Latency(), "at most 2 times its time, or 5 ms more"),
        (Latency(times=1.5), "at most 1.5 times its time"),
        (Latency(plus_ms=3), "at most 3 ms more"),
        (Latency(times=1), "at most 1 times its time"),
    ],
)
def test_the_plan_says_what_is_allowed_beside_production(latency: Latency, line: str) -> None:
    (said,) = demanded(Speed(latency=latency))
    assert said.endswith(line)

"""What a tally of a shadow test proves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatrial.evidence.agreement import Tally
from seatrial.evidence.shadowing import judge, said
from seatrial.evidence.times import Times
from seatrial.outcome import Measure, Verdict, combine

PASS, FAIL, OPEN, SKIP = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SKIP

HEALTHY = Tally(
    seen=20_000,
    sampled=1_000,
    reached=1_000,
    compared=1_000,
    rows=1_000,
    disagreed=20,
    memory_mb=80,
    candidate_us=Times({70: 1_000}),
    production_us=Times({70: 1_000}),
)


def measured(tally: Tally, offline: float = 0.02) -> dict[str, Measure]:
    measures = judge(tally, share_percent=5, offline_disagreement=offline, margin=0.05)
    return {each.name: each for each in measures}


def verdict(tally: Tally) -> Verdict:
    return combine(each.verdict for each in measured(tally).values())


def test_a_healthy_candidate_passes() -> None:
    measures = measured(HEALTHY)
    assert [each.verdict for each in measures.values()] == [PASS, PASS, PASS, PASS, SKIP]
    assert measures["achieved_share"].value == 1
    assert measures["disagreement"].limit == pytest.approx(0.07)
    assert measures["disagreement"].n == 1_000
    assert measures["memory_mb"].value == 80


def test_nothing_measured_proves_nothing() -> None:
    assert verdict(Tally()) is OPEN
    assert all(each.verdict is not PASS for each in measured(Tally()).values())
    assert verdict(Tally(seen=1000)) is OPEN
    assert verdict(Tally(lost=1000)) is OPEN


@pytest.mark.parametrize("dropped", [{"lost": 6_000}, {"too_big": 6_000}, {"reached": 790}])
def test_too_little_of_the_share_is_never_a_pass_and_never_harm(dropped: dict[str, Any]) -> None:
    measure = measured(replace(HEALTHY, **dropped))["achieved_share"]
    assert measure.verdict is OPEN
    assert measure.value == pytest.approx(0.79, abs=0.03)


def test_a_share_of_eight_tenths_is_enough() -> None:
    assert verdict(replace(HEALTHY, lost=5_000)) is PASS


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ({"errors": 4}, PASS),
        ({"errors": 10}, OPEN),
        ({"errors": 30}, FAIL),
        ({"errors": 15, "nan": 15}, FAIL),
        ({"nan": 1_000}, FAIL),
    ],
)
def test_errors_and_nan_together(counted: dict[str, Any], expected: Verdict) -> None:
    tally = replace(HEALTHY, **counted)
    assert measured(tally)["errors"].verdict is expected


@pytest.mark.parametrize(
    ("candidate", "production", "expected"),
    [
        (60, 60, PASS),
        (80, 60, PASS),  # six times as long, but not one millisecond
        (100, 60, FAIL),  # six milliseconds
        (104, 100, PASS),  # 1.4 times
        (109, 100, FAIL),  # 2.2 times
        (108, 100, OPEN),  # on the limit
    ],
)
def test_service_time_beside_production(candidate: int, production: int, expected: Verdict) -> None:
    times = Times({candidate: 1_000}), Times({production: 1_000})
    tally = replace(HEALTHY, candidate_us=times[0], production_us=times[1])
    assert measured(tally)["service_time_ms.p95"].verdict is expected


def test_rare_slowness_is_seen_from_five_in_a_hundred_on() -> None:
    for slow, expected in ((20, PASS), (50, OPEN), (80, FAIL)):
        times = Times({60: 1_000 - slow, 140: slow})
        found = measured(replace(HEALTHY, candidate_us=times))["service_time_ms.p95"]
        assert found.verdict is expected


def test_few_requests_prove_no_service_time() -> None:
    found = measured(replace(HEALTHY, candidate_us=Times({70: 40})))["service_time_ms.p95"]
    assert (found.verdict, found.high, found.n) == (OPEN, None, 40)


@pytest.mark.parametrize(("disagreed", "expected"), [(50, PASS), (70, OPEN), (100, FAIL)])
def test_live_answers_differ_no_more_than_offline_and_the_margin(
    disagreed: float, expected: Verdict
) -> None:
    assert measured(replace(HEALTHY, disagreed=disagreed))["disagreement"].verdict is expected


def test_what_failed_is_not_compared_but_still_judged() -> None:
    crashing = Tally(seen=100, sampled=5, reached=5, errors=5, reasons={"crashed": 5})
    assert verdict(crashing) is FAIL
    assert measured(crashing)["disagreement"].verdict is OPEN


def sentence(tally: Tally) -> str:
    return said(tuple(measured(tally).values()), tally)


def test_the_reason_tells_the_numbers_and_the_limits() -> None:
    assert sentence(Tally(seen=7)) == "7 requests came, but none of them reached the candidate"
    healthy = sentence(HEALTHY)
    assert healthy.startswith("on 1000 of 20000 requests: share reached 1 (at least 0.8); ")
    assert "disagreement 0.02 (low 0.0133, high 0.0289, at most 0.07)" in healthy
    assert "harm" not in healthy
    assert "settled" not in healthy


def test_the_reason_tells_what_harmed_and_what_would_settle() -> None:
    told = sentence(replace(HEALTHY, errors=30, reasons={"RuntimeError: no": 20, "died": 10}))
    assert "errors 0.03 (low 0.0217, high 0.0405, at most 0.01), which is harm" in told
    assert "20 times the candidate failed so: RuntimeError: no" in told
    told = sentence(replace(HEALTHY, disagreed=60))
    assert "at most 0.07), which is not settled: about " in told
    told = sentence(replace(HEALTHY, candidate_us=Times({70: 40})))
    assert "about 19 more compared requests would" in told


def test_the_reason_tells_noise_and_what_was_missed() -> None:
    told = sentence(replace(HEALTHY, unlike=3, lost=7, late=2))
    assert "production itself, asked again, answered 3 of them differently" in told
    assert "not compared or late: 7 lost, 2 late" in told

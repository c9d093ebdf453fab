"""One verdict over all demands: harm anywhere fails, and nothing passes by silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import FaultError
from seatrial.evidence.gate import gate
from seatrial.outcome import Direction, Measure, Verdict

PASS, FAIL, OPEN, SKIP = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.SKIP


def measure(verdict: Verdict, name: str = "accuracy", **more: object) -> Measure:
    known: dict[Verdict, dict[str, float | None]] = {
        PASS: {"value": 0.9, "low": 0.87, "high": 0.92},
        FAIL: {"value": 0.7, "low": 0.66, "high": 0.73},
        OPEN: {"value": 0.84, "low": 0.80, "high": 0.87},
        SKIP: {"value": None},
    }
    fields = {"name": name, "limit": 0.82, "n": 400, "verdict": verdict, **known[verdict], **more}
    return Measure(**fields)  # type: ignore[arg-type]


REPORT = Measure(name="memory_mb", value=80.0, n=400)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASS], PASS),
        ([PASS, PASS], PASS),
        ([PASS, SKIP], PASS),  # the comparison of a first version does not apply
        ([SKIP, SKIP], SKIP),
        ([PASS, OPEN], OPEN),
        ([OPEN, SKIP], OPEN),
        ([PASS, OPEN, FAIL], FAIL),
        ([SKIP, FAIL], FAIL),
    ],
)
def test_the_rule(verdicts: list[Verdict], expected: Verdict) -> None:
    assert gate(map(measure, verdicts)).verdict is expected
    assert gate([REPORT, *map(measure, reversed(verdicts))]).verdict is expected


@given(st.lists(st.sampled_from([PASS, FAIL, OPEN, SKIP]), min_size=1))
def test_a_pass_needs_every_demand_that_applies(verdicts: list[Verdict]) -> None:
    found = gate([measure(each) for each in verdicts]).verdict
    assert (found is FAIL) == (FAIL in verdicts)
    assert (found is PASS) == (set(verdicts) in ({PASS}, {PASS, SKIP}))
    assert (found is SKIP) == (set(verdicts) == {SKIP})


@given(
    st.lists(st.sampled_from([PASS, FAIL, OPEN, SKIP]), min_size=1),
    st.sampled_from([PASS, FAIL, OPEN]),
)
def test_one_more_demand_never_lets_more_through(verdicts: list[Verdict], more: Verdict) -> None:
    before = gate([measure(each) for each in verdicts]).verdict
    after = gate([measure(each) for each in [*verdicts, more]]).verdict
    assert after is not PASS or before in {PASS, SKIP}


def test_slices_count_and_are_named() -> None:
    found = gate([measure(PASS)], slices={"carrier AA": [measure(FAIL)], "carrier UA": [REPORT]})
    assert found.verdict is FAIL
    names = [each.name for each in found.measures]
    assert names == ["accuracy", "accuracy on carrier AA", "memory_mb on carrier UA"]
    assert found.reason.startswith("accuracy on carrier AA fails: 0.7 (low 0.66, high 0.73, at l")


@pytest.mark.parametrize("measures", [[], [REPORT], [Measure(name="recall", value=0.5)]])
def test_a_gate_that_demands_nothing_is_an_error(measures: list[Measure]) -> None:
    with pytest.raises(FaultError, match="a gate demands nothing"):
        gate(measures)
    with pytest.raises(FaultError, match="a gate demands nothing"):
        gate([], slices={"all": measures})


def test_a_pass_without_a_limit_is_an_error() -> None:
    with pytest.raises(FaultError, match="accuracy passes without a limit"):
        gate([measure(PASS, limit=None), measure(PASS)])


def test_what_could_not_be_measured_is_not_overlooked() -> None:
    silent = Measure(name="service_time_ms.p95", value=None, verdict=OPEN)
    found = gate([measure(PASS), silent], rows="compared requests")
    assert found.verdict is OPEN
    assert found.reason == (
        "service_time_ms.p95 is not settled: no value;"
        " nothing was measured: it needs compared requests"
    )


def test_an_open_question_says_what_would_settle_all_of_it() -> None:
    harder = measure(OPEN, "f1", value=0.83, low=0.80)
    found = gate([measure(OPEN), harder, measure(PASS, "recall")])
    assert found.reason == (
        "f1 is not settled: 0.83 (low 0.8, high 0.87, at least 0.82);"
        " 3200 more labelled rows would settle it; and so for 1 more"
    )
    on_limit = measure(OPEN, value=0.82)
    assert "no number of rows would settle it" in gate([harder, on_limit]).reason


def test_the_reason_of_a_pass_and_of_a_skip_tells_every_measure() -> None:
    within = measure(
        PASS, "degradation.f1", value=0.01, low=-0.01, high=0.03, limit=0.05,
        direction=Direction.AT_MOST,
    )  # fmt: skip
    assert gate([measure(PASS), within]).reason == (
        "accuracy passes: 0.9 (low 0.87, high 0.92, at least 0.82);"
        " degradation.f1 passes: 0.01 (low -0.01, high 0.03, at most 0.05)"
    )
    skipped = gate([measure(SKIP), measure(SKIP, "f1")])
    assert skipped.reason == "nothing to judge: accuracy, f1 were skipped"

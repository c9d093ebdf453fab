"""What a busy moment leaves open, further timings settle when they agree."""

from __future__ import annotations

import pytest

from seatrial.evaluation.speed.asking import TimingReply
from seatrial.evaluation.speed.settling import Timed, settled
from seatrial.outcome import Measure, Verdict

PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("verdicts", "verdict", "timings"),
    [
        ([PASS], PASS, 1),
        ([FAIL], FAIL, 1),
        ([OPEN, PASS, PASS], PASS, 3),
        ([OPEN, FAIL, FAIL], FAIL, 3),
        ([OPEN, PASS, OPEN], OPEN, 3),
        ([OPEN, PASS, FAIL], OPEN, 3),
        ([OPEN, OPEN], OPEN, 2),
        ([OPEN, None], OPEN, 2),
        ([OPEN, PASS, None], OPEN, 3),
    ],
)
def test_what_a_busy_moment_left_open_two_more_timings_settle(
    verdicts: list[Verdict | None], verdict: Verdict, timings: int
) -> None:
    found, taken = settle([None if each is None else {"p95": each} for each in verdicts])
    assert (found["p95"].verdict, taken) == (verdict, timings)
    # all that is told comes from the same timing: a p50 above its p95 would be none
    counts = 1 if verdict is OPEN else timings
    assert {each.value for each in found.values()} == {counts}


def test_later_timings_settle_all_that_is_open_or_nothing() -> None:
    found, _ = settle(
        [{"p50": OPEN, "p95": OPEN}, {"p50": PASS, "p95": PASS}, {"p50": PASS, "p95": OPEN}]
    )
    assert (found["p50"].verdict, found["p95"].verdict) == (OPEN, OPEN)


def test_later_timings_contradict_nothing_that_was_decided() -> None:
    found, taken = settle([{"p50": PASS, "p95": OPEN}, {"p50": FAIL, "p95": PASS}])
    assert (found["p50"].verdict, found["p95"].verdict, taken) == (PASS, OPEN, 2)


def test_what_fails_is_not_timed_again() -> None:
    _, taken = settle([{"p50": FAIL, "p95": OPEN}])
    assert taken == 1


def settle(told: list[dict[str, Verdict] | None]) -> tuple[dict[str, Measure], int]:
    """The measures that count, each with the number of its timing for a value; and the timings."""
    reply = TimingReply(times={}, waiting_known=True)
    asked = iter(told)
    taken = 0

    def time() -> Timed | None:
        nonlocal taken
        taken += 1
        verdicts = next(asked)
        if verdicts is None:
            return None
        judged = [
            Measure(name=name, value=float(taken), limit=5.0, verdict=verdict)
            for name, verdict in verdicts.items()
        ]
        return Timed(reply, (*judged, Measure(name="reported", value=float(taken))))

    first = time()
    assert first
    found = settled(first, time)
    return {each.name: each for each in found.measures}, taken

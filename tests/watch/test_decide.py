"""What a watch does, case by case: harm first, then doubts, then the end of its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.evidence.watching import Judged
from seatrial.outcome import Direction, Measure, Verdict
from seatrial.registry.policy import Policy
from seatrial.watch.decide import (
    Ask,
    Brakes,
    End,
    Extend,
    Known,
    RollBack,
    decide,
    harmed,
)

if TYPE_CHECKING:
    from seatrial.watch.decide import Action

OPENED = datetime(2026, 11, 5, 14, tzinfo=UTC)
POLICY = Policy(degradation_margin=0.05, metric="accuracy")
FREE = Brakes(promoted=True, rollbacks=0, frozen=False)
PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def judged(verdict: Verdict, reason: str = "as was seen", more: int | None = None) -> Judged:
    measure = Measure(
        name="degradation.accuracy",
        value=0.01,
        low=-0.01,
        high=0.04,
        limit=0.05,
        direction=Direction.AT_MOST,
        n=500,
        verdict=verdict,
    )
    return Judged(
        measure=measure,
        window_start=0,
        window_estimate=0.01,
        log_e={},
        bar=3.0,
        reason=reason,
        more_labels=more,
    )


def at(hour: float, quality: Verdict | Judged | None = None, **known: object) -> Known:
    """What is known so many hours after the promotion."""
    base = Known(
        now=OPENED + timedelta(hours=hour),
        version=3,
        first_deadline=OPENED + timedelta(hours=48),
        last_deadline=OPENED + timedelta(hours=168),
        until=OPENED + timedelta(hours=48),
        quality=judged(quality) if isinstance(quality, Verdict) else quality,
        unpaired="no metric was tested on held-out rows",
        coverage_percent=100.0,
        promised=None,
        differing=None,
        brakes=FREE,
    )
    return replace(base, **known)  # type: ignore[arg-type]


def done(known: Known) -> list[str]:
    """What is decided, in short."""
    return [short(action) for action in decide(known, POLICY)]


def short(action: Action) -> str:
    match action:
        case RollBack():
            return "roll back"
        case Ask():
            return f"ask {action.kind}"
        case Extend():
            return f"extend to {(action.until - OPENED) / timedelta(hours=1):g} h"
        case End():
            return f"end {action.state}"


LONG = OPENED + timedelta(hours=168)
NOT_TOLD = ["ask watch_inconclusive", "end inconclusive"]


@pytest.mark.parametrize(
    ("known", "does"),
    [
        (at(0), []),
        (at(1, PASS), []),  # good so far is not good to the end
        (at(47.99, PASS), []),
        (at(48, PASS), ["end passed"]),
        (at(48, PASS, coverage_percent=20), ["end passed"]),
        (at(48, PASS, coverage_percent=19.9), ["extend to 168 h"]),
        (at(48, OPEN), ["extend to 168 h"]),
        (at(48), ["extend to 168 h"]),
        (at(60, OPEN, until=LONG), []),  # once
        (at(60, PASS, until=LONG), ["end passed"]),
        (at(60, PASS, until=LONG, coverage_percent=1), []),
        (at(168, PASS, until=LONG), ["end passed"]),
        (at(168, PASS, until=LONG, coverage_percent=1), NOT_TOLD),
        (at(168, OPEN, until=LONG), NOT_TOLD),
        (at(168, until=LONG), NOT_TOLD),
        (at(1000, OPEN), NOT_TOLD),  # nobody looked meanwhile
        (at(48, OPEN, last_deadline=OPENED + timedelta(hours=48)), NOT_TOLD),
        (at(-5, PASS), []),  # a clock that went back
    ],
)
def test_the_end_of_the_time(known: Known, does: list[str]) -> None:
    assert done(known) == does


@pytest.mark.parametrize("hour", [0, 1, 48, 167, 168, 1000])
def test_harm_goes_back_at_any_hour(hour: float) -> None:
    known = at(hour, judged(FAIL, "0.087 worse"), coverage_percent=0.0)
    assert list(decide(known, POLICY)) == [RollBack("0.087 worse", "quality")]


@pytest.mark.parametrize(
    ("brakes", "because"),
    [
        (replace(FREE, frozen=True), "the model is frozen"),
        (replace(FREE, rollbacks=2), "2 rollbacks by itself within 7 days are enough"),
        (replace(FREE, rollbacks=5), "5 rollbacks by itself within 7 days are enough"),
        (replace(FREE, promoted=False), "it is what production went back to"),
    ],
)
def test_what_must_not_go_back_by_itself_asks_a_person(brakes: Brakes, because: str) -> None:
    (asked,) = decide(at(1, FAIL, brakes=brakes), POLICY)
    assert isinstance(asked, Ask)
    assert (asked.kind, asked.on_timeout) == ("rollback_blocked", "keep")
    assert because in asked.question
    assert "version 3" in asked.question
    assert done(at(60, FAIL, brakes=brakes)) == ["ask rollback_blocked"]
    assert done(at(168, FAIL, brakes=brakes)) == ["ask rollback_blocked", "end failed"]


def test_one_rollback_is_not_too_many() -> None:
    assert done(at(1, FAIL, brakes=replace(FREE, rollbacks=1))) == ["roll back"]


def test_what_a_guardrail_found_is_told_as_that() -> None:
    assert harmed(3, "9 of 9 failed", "guardrail", FREE) == RollBack("9 of 9 failed", "guardrail")


def test_when_both_versions_decay_nothing_flips() -> None:
    promised = judged(FAIL, "mean loss 0.31 (limit 0.18)")
    for quality in (None, OPEN, PASS):
        known = at(5, quality, promised=promised)
        (asked,) = decide(known, POLICY)
        assert isinstance(asked, Ask)
        assert (asked.kind, asked.recommended, asked.on_timeout) == ("retrain", "retrain", "keep")
        assert asked.reason == "mean loss 0.31 (limit 0.18)"
    assert done(at(48, PASS, promised=promised)) == ["ask retrain", "end passed"]


def test_disagreement_is_a_question_and_no_verdict() -> None:
    known = at(5, OPEN, differing=judged(FAIL, "differs on 30 %"))
    (asked,) = decide(known, POLICY)
    assert isinstance(asked, Ask)
    assert (asked.kind, asked.on_timeout) == ("disagreement", "keep")
    assert done(replace(known, promised=judged(FAIL))) == ["ask retrain", "ask disagreement"]
    for said in (PASS, OPEN):
        assert done(at(5, OPEN, differing=judged(said), promised=judged(said))) == []


def test_without_labels_nothing_passes_and_nothing_goes_back() -> None:
    alike = judged(PASS)
    assert done(at(48, promised=alike, differing=alike)) == ["extend to 168 h"]
    asked, end = decide(at(168, differing=alike), POLICY)
    assert isinstance(end, End)
    assert end.reason == "no metric was tested on held-out rows; the version stays"
    assert isinstance(asked, Ask)
    assert asked.resolves == "more labelled requests"


def test_it_says_how_many_labels_would_settle_it() -> None:
    asked, _ = decide(at(168, judged(OPEN, "may be worse", more=412)), POLICY)
    assert isinstance(asked, Ask)
    assert asked.resolves == "about 410 more labelled requests"  # as the reason says it
    assert asked.reason == "may be worse"


def test_few_labels_are_said_to_be_few() -> None:
    (longer,) = decide(at(48, PASS, coverage_percent=3.14159), POLICY)
    assert isinstance(longer, Extend)
    assert "only 3.14 % of the answers got a label (at least 20 %)" in longer.reason


hours = st.one_of(st.sampled_from([0.0, 48.0, 168.0]), st.floats(-10, 500))
maybe = st.sampled_from([None, judged(PASS), judged(FAIL), judged(OPEN)])
knowns = st.builds(
    at,
    hours,
    maybe,
    promised=maybe,
    differing=maybe,
    coverage_percent=st.floats(0, 100),
    brakes=st.builds(
        Brakes, promoted=st.booleans(), rollbacks=st.integers(0, 4), frozen=st.booleans()
    ),
    until=st.sampled_from([OPENED + timedelta(hours=48), LONG]),
)


@given(knowns)
def test_whatever_is_known(known: Known) -> None:
    does, brakes = done(known), known.brakes
    free = brakes.promoted and not brakes.frozen and brakes.rollbacks < 2
    verdict = known.quality.measure.verdict if known.quality else None
    back = verdict is FAIL and free
    assert (does == ["roll back"]) == ("roll back" in does) == back
    if "end passed" in does:
        assert known.now >= known.first_deadline
        assert (verdict, known.coverage_percent >= 20) == (PASS, True)
    ends = [each for each in does if each.startswith(("end", "extend"))]
    assert len(ends) <= 1
    if known.now >= known.last_deadline and not back:
        assert ends, "a watch without an end"
        assert "extend to 168 h" not in ends

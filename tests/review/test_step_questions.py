"""What is recommended, what may be chosen, and who is at the keyboard."""

from __future__ import annotations

import os
import pwd
from typing import NoReturn

import pytest

from seatrial.outcome import Direction, Measure, Outcome, Verdict
from seatrial.review import person
from seatrial.review.step_questions import likely


def _unsettled(value: float, low: float, high: float, direction: Direction) -> Measure:
    return Measure(
        name="m",
        value=value,
        low=low,
        high=high,
        limit=0.5,
        direction=direction,
        n=40,
        verdict=Verdict.INCONCLUSIVE,
    )


UP, DOWN = Direction.AT_LEAST, Direction.AT_MOST


@pytest.mark.parametrize(
    ("measures", "approve"),
    [
        ([_unsettled(0.58, 0.48, 0.68, UP)], True),
        ([_unsettled(0.54, 0.44, 0.64, UP)], False),  # beyond the limit, but hardly
        ([_unsettled(0.46, 0.36, 0.56, UP)], False),
        ([_unsettled(0.42, 0.32, 0.52, DOWN)], True),
        ([_unsettled(0.46, 0.36, 0.56, DOWN)], False),
        ([_unsettled(0.58, 0.48, 0.68, DOWN)], False),
        ([_unsettled(0.58, 0.48, 0.68, UP), _unsettled(0.54, 0.44, 0.64, UP)], False),
        ([Measure(name="m", value=None, verdict=Verdict.INCONCLUSIVE)], False),
        ([], False),
    ],
)
def test_approval_is_recommended_only_when_it_looks_good(
    measures: list[Measure],
    approve: bool,  # noqa: FBT001 - a row of the table
) -> None:
    outcome = Outcome(verdict=Verdict.INCONCLUSIVE, reason="few rows", measures=tuple(measures))
    assert likely(outcome) is approve


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(_uid: int) -> NoReturn:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    assert person.name() == f"user {os.getuid()}"


def test_nobody_becomes_somebody_else_by_saying_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody_else")
    assert person.name() == pwd.getpwuid(os.getuid()).pw_name

"""Conditions: who may be asked, and what the answer is."""

from __future__ import annotations

import pytest

from seatrial.errors import FileError
from seatrial.pipeline.condition import Condition, check, facts

PASSED = facts({"validate_data": True, "train_model": False})


def test_facts_are_what_a_condition_may_ask() -> None:
    assert PASSED == {
        "all_previous_stages_passed": False,
        "stages.validate_data.passed": True,
        "stages.train_model.passed": False,
    }
    assert facts({}) == {"all_previous_stages_passed": True}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("all_previous_stages_passed", False),
        ("stages.validate_data.passed", True),
        ("stages.validate_data.passed && stages.train_model.passed", False),
        ("stages.validate_data.passed || stages.train_model.passed", True),
        ("!stages.train_model.passed", True),
        ("stages.train_model.passed ? false : true", True),
    ],
)
def test_a_condition_is_answered_from_the_facts(text: str, *, answer: bool) -> None:
    assert check(Condition(text), "p:1:1", ["validate_data", "train_model"]) == ()
    assert Condition(text).evaluate(PASSED) is answer


@pytest.mark.parametrize("text", ["1 / 0 == 1", "1 + 1", "stages.later.passed", "&&", ""])
def test_no_answer_is_an_error_and_never_a_yes(text: str) -> None:
    with pytest.raises(FileError, match="has no answer"):
        Condition(text).evaluate(PASSED)


def test_every_unknown_fact_is_told() -> None:
    mistakes = check(Condition("stages.trian_model.passed || foo"), "p:1:1", ["train_model"])
    assert [mistake.nearest for mistake in mistakes] == ["stages.train_model.passed", ""]


def test_a_stage_that_comes_later_cannot_be_asked() -> None:
    (mistake,) = check(Condition("stages.deploy.passed"), "p:1:1", ["train"], ["deploy"])
    assert "has not run by then" in mistake.what


def test_a_stage_without_its_verdict_is_completed() -> None:
    (mistake,) = check(Condition("stages.train_model"), "p:1:1", ["train_model"])
    assert mistake.nearest == "stages.train_model.passed"


@pytest.mark.parametrize("depth", [40, 5000])
def test_a_bottomless_condition_is_a_mistake(depth: int) -> None:
    text = "(" * depth + "true" + ")" * depth
    (mistake,) = check(Condition(text), "p:1:1", [])
    assert len(str(mistake).splitlines()) <= 6

"""Stage after stage, task after task; a failure ends its stage, a condition may start another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seatrial.ledger.verify import verify

if TYPE_CHECKING:
    from seatrial.engines._drive import Driven

    from .conftest import Probing


def _states(driven: Driven) -> dict[str, str]:
    """State of every task, by its stage and place."""
    told: dict[str, Any] = driven.document
    return {
        f"{stage['name']}.{task['task']}": task["verdict"] or task["state"]
        for stage in told["stages"]
        for task in stage["tasks"]
    }


def _stages(driven: Driven) -> list[str | None]:
    told: dict[str, Any] = driven.document
    return [stage["verdict"] for stage in told["stages"]]


def test_all_pass_in_the_order_of_the_file(probing: Probing) -> None:
    probing.write("first: pass; pass", "second: skip; pass", "third: skip")
    driven = probing.run()
    assert (driven.exit_code, driven.document["verdict"], driven.document["state"]) == (
        0,
        "pass",
        "finished",
    )
    assert probing.calls() == [
        "first.probe",
        "first.probe-2",
        "second.probe",
        "second.probe-2",
        "third.probe",
    ]
    assert _stages(driven) == ["pass", "pass", "pass"]
    assert verify(probing.open().ledger)[1] == driven.head


@pytest.mark.parametrize(
    ("verdict", "code", "state"), [("fail", 1, "finished"), ("inconclusive", 3, "review")]
)
def test_what_lets_nothing_through_ends_its_stage_and_those_after_it(
    probing: Probing, verdict: str, code: int, state: str
) -> None:
    probing.write("first: pass", f"second: pass; {verdict}; pass", "third: pass")
    driven = probing.run()
    assert (driven.exit_code, driven.document["verdict"], driven.document["state"]) == (
        code,
        verdict,
        state,
    )
    assert _states(driven) == {
        "first.probe": "pass",
        "second.probe": "pass",
        "second.probe-2": verdict,
        "second.probe-3": "not_reached",
        "third.probe": "not_reached",
    }
    assert _stages(driven) == ["pass", verdict, None]
    assert probing.calls() == ["first.probe", "second.probe", "second.probe-2"]


def test_a_condition_starts_a_stage_after_a_failure(probing: Probing) -> None:
    probing.write(
        "first: fail",
        "second: pass",
        "clean_up if '!stages.first.passed': pass",
        "deploy if all_previous_stages_passed: pass",
        "last: pass",
    )
    driven = probing.run()
    assert probing.calls() == ["first.probe", "clean_up.probe"]
    assert (driven.exit_code, driven.document["verdict"]) == (1, "fail")
    assert _stages(driven) == ["fail", None, "pass", None, None]


def test_a_stage_whose_condition_does_not_hold_has_not_passed(probing: Probing) -> None:
    probing.write("first: pass", "rare if '!stages.first.passed': pass", "last: pass")
    driven = probing.run()
    assert probing.calls() == ["first.probe"]
    assert driven.exit_code == 0
    assert _stages(driven) == ["pass", None, None]


def test_fail_outweighs_inconclusive(probing: Probing) -> None:
    probing.write("first: inconclusive", "second if '!stages.first.passed': fail")
    driven = probing.run()
    assert (driven.exit_code, driven.document["verdict"]) == (1, "fail")


def test_only_what_could_not_be_said_is_asked_again(probing: Probing) -> None:
    probing.write("first: pass; inconclusive, pass", "second: pass")
    first = probing.run()
    second = probing.run()
    assert (first.exit_code, second.exit_code) == (3, 0)
    assert first.document["run"] == second.document["run"]
    assert probing.calls() == ["first.probe", "first.probe-2", "first.probe-2", "second.probe"]


def test_a_finished_run_is_followed_by_a_new_one(probing: Probing) -> None:
    probing.write("first: pass")
    assert probing.run().document["run"] != probing.run().document["run"]
    assert probing.calls() == ["first.probe"] * 2

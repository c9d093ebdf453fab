"""The same scenarios on every engine: what its users see, and what the ledger has."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from airflow_engine import AirflowEngine
from metaflow_engine import MetaflowEngine
from prefect_engine import PrefectEngine
from scenarios import Play, Shop, until, verdicts
from shell_engine import ShellEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scenarios import Driver

pytestmark = [pytest.mark.slow, pytest.mark.engines]
ENGINES = {
    "shell": ShellEngine,
    "airflow": AirflowEngine,
    "prefect": PrefectEngine,
    "metaflow": MetaflowEngine,
}
CHECK, TRAIN = "check.probe", "train.probe"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(make, id=name, marks=pytest.mark.xdist_group(name))
        for name, make in ENGINES.items()
    ],
)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """One engine after the other: all the scenarios on it, then its servers end."""
    make: Callable[[], Driver] = request.param
    with closing(make()) as driver:
        yield driver


@pytest.fixture
def play(request: pytest.FixtureRequest, tmp_path: Path, driver: Driver) -> Play:
    """A shop of its own for each scenario."""
    return Play(driver, Shop(tmp_path, request.node.originalname.removeprefix("test_")[:40]))


def test_pass(play: Play) -> None:
    play.prepare("check: pass; pass", "train: pass")
    seen, told = play.finish()
    assert (seen.state, told["state"], told["verdict"]) == ("succeeded", "finished", "pass")
    assert play.shop.calls() == [CHECK, "check.probe-2", TRAIN]
    assert "call 1: pass" in seen.text  # the reason of a verdict is shown in the engine
    assert told["run"] in seen.text


def test_gate_failure_stops_later_stages(play: Play) -> None:
    play.prepare("check: pass; fail; pass", "train: pass")
    seen, told = play.finish()
    assert (seen.state, told["verdict"]) == ("failed", "fail")
    assert verdicts(told) == ["pass", "fail", None, None]
    assert play.shop.calls() == [CHECK, "check.probe-2"]  # no gate is asked twice


def test_inconclusive_then_approved(play: Play) -> None:
    play.prepare("check: pass; inconclusive", "train: pass")
    first = play.start()
    assert play.ended(first).state == "failed"
    (told,) = play.shop.runs()
    assert (told["state"], verdicts(told)) == ("review", ["pass", "inconclusive", None])
    (asked,) = _json(play.shop, "reviews")
    play.shop.command("approve", asked["id"], "--reason", "looked at it")
    assert play.ended(play.driver.again(play.shop, first)).state == "succeeded"
    (told,) = play.shop.runs()
    assert (told["verdict"], verdicts(told)) == ("pass", ["pass", "pass", "pass"])
    assert play.shop.calls() == [CHECK, "check.probe-2", TRAIN]


def test_wait_and_resume(play: Play) -> None:
    play.prepare("check: pass", "train: wait 8, pass", "last: pass")
    run = play.start()
    play.waits(run)
    assert play.shop.performing() == []
    (told,) = play.shop.runs()
    assert told["state"] == "waiting"
    assert play.ended(run).state == "succeeded"
    (told,) = play.shop.runs()
    assert told["verdict"] == "pass"
    assert play.shop.calls() == [CHECK, TRAIN, TRAIN, "last.probe"]


def test_an_error_that_passes_is_tried_again(play: Play) -> None:
    play.prepare("check: store, pass", "train: pass")
    seen, told = play.finish()
    assert (seen.state, told["verdict"]) == ("succeeded", "pass")
    assert play.shop.calls() == [CHECK, CHECK, TRAIN]


def test_a_worker_that_is_killed_in_a_step(play: Play) -> None:
    play.prepare("check: pass", "train: hold, pass")
    run = play.start()
    until(lambda: TRAIN in play.shop.calls(), "the step is performed")
    play.shop.kill_the_performing()
    assert play.ended(run).state == "succeeded"
    (told,) = play.shop.runs()
    assert (told["verdict"], play.shop.calls()) == ("pass", [CHECK, TRAIN, TRAIN])


@pytest.mark.parametrize("policy", ["skip", "queue", "replace"])
def test_overlap(play: Play, policy: str) -> None:
    """A second run while the first waits."""
    play.prepare("check: pass", "train: look 3", overlap=policy)
    first = play.start()
    play.waits(first)
    # of other settings: the same ones would be the same run
    second = play.start("check.probe.note=second")
    if policy == "skip":
        assert play.ended(second).state == "skipped"
        play.go()
        assert play.ended(first).state == "succeeded"
        assert [told["verdict"] for told in play.shop.runs()] == ["pass"]
    elif policy == "queue":
        play.waits(second)
        play.go()
        assert play.ended(first).state == "succeeded"
        assert play.ended(second).state == "succeeded"
        assert [told["verdict"] for told in play.shop.runs()] == ["pass", "pass"]
    else:
        assert play.ended(first).state in {"failed", "skipped"}
        play.go()
        assert play.ended(second).state == "succeeded"
        old, new = play.shop.runs()
        assert (old["verdict"], new["verdict"]) == (None, "pass")


def test_parameters_by_set(play: Play) -> None:
    play.prepare("check: pass", "train: pass")
    seen, told = play.finish("train.probe.script=[fail]")
    assert (seen.state, told["verdict"], verdicts(told)) == ("failed", "fail", ["pass", "fail"])


def test_a_stage_whose_condition_holds_after_a_failure(play: Play) -> None:
    play.prepare("check: fail", 'after if "!stages.check.passed": pass', "train: pass")
    seen, told = play.finish()
    assert (seen.state, told["verdict"]) == ("failed", "fail")
    assert verdicts(told) == ["fail", "pass", None]


def test_a_stage_whose_condition_does_not_hold(play: Play) -> None:
    play.prepare("check: pass", 'after if "!stages.check.passed": pass', "train: pass")
    seen, told = play.finish()
    # the stage that was left out did not pass, so the one after it does not start
    assert (seen.state, verdicts(told)) == ("succeeded", ["pass", None, None])


def test_a_stage_that_is_left_out_does_not_hold_up_those_after_it(play: Play) -> None:
    left_out, last = '"!stages.check.passed"', '"stages.check.passed"'
    play.prepare("check: pass", f"after if {left_out}: pass", f"train if {last}: pass")
    seen, told = play.finish()
    assert (seen.state, told["verdict"]) == ("succeeded", "pass")
    assert verdicts(told) == ["pass", None, "pass"]


def _json(shop: Shop, *words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(shop.command(*words, "--json").stdout)
    return found

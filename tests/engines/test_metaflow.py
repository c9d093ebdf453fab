"""A pipeline on Metaflow: what only this engine has; the rest is in the scenarios."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metaflow_engine import FILE, MetaflowEngine, start, typed
from scenarios import Shop, until, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.engines, pytest.mark.xdist_group("metaflow")]

CHECK, TRAIN = "check.probe", "train.probe"

LOOKING = """
import base64
import json
import re
from metaflow import Flow
from metaflow.cards import get_cards
run = Flow("ShopFlow").latest_run
card = get_cards(run["report"].task)[0].get()
shown = [base64.b64decode(text) for text in re.findall('= "([A-Za-z0-9+/=]{99,})"', card)]
told = run["train__probe"].task.data.told
shown = b"".join(shown).decode()
print(json.dumps({"told": told, "run": run["end"].task.data.seatrial_run, "shown": shown}))
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[MetaflowEngine]:
    with closing(MetaflowEngine()) as engine:
        yield engine


@pytest.fixture
def shop(tmp_path: Path, engine: MetaflowEngine) -> Shop:
    del engine
    return Shop(tmp_path, "shop")


def exported(shop: Shop, *stages: str, **settings: str) -> str:
    shop.write(*stages, **settings)
    return shop.export("metaflow", shop.folder / FILE).read_text()


def go_on(printed: str) -> list[str]:
    """The words of the command that a flow told last, after ``python``."""
    return shlex.split(re.findall(r"python (flow\.py resume .+)", printed)[-1])


def test_after_a_wait_running_it_again_goes_on_with_the_same_run(shop: Shop) -> None:
    exported(shop, "check: pass", "train: wait 1, pass")
    first = typed(shop, FILE, "run")
    assert first.returncode == 1
    (due,) = re.findall(r"train\.probe waits until (\S+ \S+) UTC: traffic", first.stdout)
    assert go_on(first.stdout)[1:3] == ["resume", "--origin-run-id"]
    over = datetime.fromisoformat(f"{due}+00:00") + timedelta(seconds=1)
    until(lambda: datetime.now(UTC) > over, "the wait is over")
    assert typed(shop, FILE, "run").returncode == 0
    (told,) = shop.runs()
    assert (told["verdict"], shop.calls()) == ("pass", [CHECK, TRAIN, TRAIN])


def test_a_runner_that_was_killed_is_resumed_and_no_step_is_done_twice(
    shop: Shop, engine: MetaflowEngine
) -> None:
    exported(shop, "check: pass", "train: hold")
    flow = engine.flows[engine.start(shop)]
    until(lambda: TRAIN in shop.calls(), "the step is performed")
    os.kill(flow.running.pid, signal.SIGKILL)  # the step's process lives on without it
    flow.running.wait()
    flow.running = start(shop, flow.log, "resume")
    until(lambda: "waiting for run" in flow.last, "the second one waits for the first")
    (shop.folder / "go").touch()
    assert flow.running.wait() == 0, flow.text
    assert "Cloning previously run task" in flow.last
    (told,) = shop.runs()
    assert (told["verdict"], shop.calls()) == ("pass", [CHECK, TRAIN])


def test_what_stays_in_the_way_is_tried_three_times_and_resumed_when_it_is_mended(
    shop: Shop,
) -> None:
    exported(shop, "check: store, store, store, pass")
    stopped = typed(shop, FILE, "run", "--retry_pause_s", "0")
    assert stopped.returncode == 1
    assert shop.calls() == [CHECK] * 3
    assert "the disk is full" in stopped.stdout
    assert "tried 3 times; when it is mended: python flow.py resume" in stopped.stdout
    assert "Traceback" not in stopped.stdout
    resumed = typed(shop, *go_on(stopped.stdout))
    assert (resumed.returncode, shop.calls()) == (0, [CHECK] * 4)


def test_what_trying_again_does_not_mend_is_told_once(shop: Shop) -> None:
    text = exported(shop, "check: pass")
    shop.write("check: pass; pass")
    changed = typed(shop, FILE, "run", "--retry_pause_s", "0")
    assert changed.returncode == 1
    assert changed.stdout.count("has other stages, tasks or times than when it was exported") == 1
    assert "Task is starting (retry)" not in changed.stdout
    (shop.folder / FILE).write_text(
        re.sub(r'SEATRIAL = \[\s*"[^"]+"', 'SEATRIAL = ["/none/python"', text)
    )
    without = typed(shop, FILE, "run", "--retry_pause_s", "0")
    assert "seatrial cannot be called: [Errno 2] No such file" in without.stdout
    assert "Task is starting (retry)" not in without.stdout


def test_an_unsure_gate_before_a_stage_that_starts_all_the_same_is_resumed_there(
    shop: Shop,
) -> None:
    always = "stages.check.passed || !stages.check.passed"
    exported(shop, "check: inconclusive", f'after if "{always}": pass', "train: pass")
    unsure = typed(shop, FILE, "run")
    assert unsure.returncode == 1
    assert shop.calls() == [CHECK, "after.probe"]
    command = go_on(unsure.stdout)
    assert command[-1] == "check__probe"
    (asked,) = json.loads(shop.command("reviews", "--json").stdout)
    shop.command("approve", asked["id"], "--reason", "looked at it")
    assert typed(shop, *command).returncode == 0
    (told,) = shop.runs()
    assert (told["verdict"], verdicts(told)) == ("pass", ["pass"] * 3)
    assert shop.calls() == [CHECK, "after.probe", TRAIN]


def test_the_report_is_a_card_and_what_a_step_said_is_an_artefact(shop: Shop) -> None:
    text = exported(
        shop, "check: pass", "train: pass", schedule='"0 2 * * *"', timezone="Asia/Tokyo"
    )
    assert '@schedule(cron="0 2 * * *", timezone="Asia/Tokyo")' in text
    done = typed(shop, FILE, "run")
    assert done.returncode == 0, done.stdout
    looked = typed(shop, "-c", LOOKING)
    found = json.loads(looked.stdout)
    (run,) = (told["run"] for told in shop.runs())
    assert found["run"] == run
    assert (found["told"]["verdict"], found["told"]["reason"]) == ("pass", "call 1: pass")
    assert run in found["shown"]
    assert "no evidence of harm" in found["shown"]


def test_names_that_metaflow_would_not_take_are_changed(shop: Shop) -> None:
    exported(shop, "_first: pass", "__second: pass", "third__: pass; pass")
    done = typed(shop, FILE, "check")
    assert (done.returncode, "The graph looks good!" in done.stdout) == (0, True)
    assert "Step stage_first__probe" in typed(shop, FILE, "show").stdout


def test_another_release_than_those_that_were_tried_is_told_once(shop: Shop) -> None:
    text = exported(shop, "check: pass")
    (shop.folder / FILE).write_text(text.replace('("2.19", "2.20")', '("3.0", "3.1")'))
    done = typed(shop, FILE, "run")
    assert done.returncode == 0
    assert (
        done.stdout.count("warning: tested with Metaflow from 3.0 to below 3.1; this is 2.19") == 1
    )

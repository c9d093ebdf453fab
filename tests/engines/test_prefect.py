"""A pipeline on Prefect: what only this engine has; the rest is in the scenarios."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prefect_engine import PROGRAMS, PrefectEngine, end
from scenarios import Shop, until
from seatrial.pipeline.schedule import fields
from seatrial.pipeline.times import next_times

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.engines, pytest.mark.xdist_group("prefect")]

CHECK, TRAIN = "check.probe", "train.probe"


@pytest.fixture(scope="module")
def engine() -> Iterator[PrefectEngine]:
    with closing(PrefectEngine()) as engine:
        yield engine


@pytest.fixture
def shop(tmp_path: Path, engine: PrefectEngine) -> Shop:
    del engine
    return Shop(tmp_path, f"shop_{tmp_path.name[:40]}")


def state(engine: PrefectEngine, run: str) -> str:
    return str(engine.call("GET", f"flow_runs/{run}")["state_name"])


def ends(engine: PrefectEngine, run: str) -> str:
    """Wait for the end of a flow run; the name of the state that it ends in."""

    def over() -> str | None:
        found = engine.call("GET", f"flow_runs/{run}")
        over = found["state_type"] in {"COMPLETED", "FAILED", "CANCELLED"}
        return found["state_name"] if over else None

    return str(until(over, f"the end of {run}: {engine.shown(run)}"))


def by_hand(
    engine: PrefectEngine, shop: Shop, *words: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """``python flow.py`` at a terminal."""
    return subprocess.run(
        [PROGRAMS / "python", "flow.py", *words],
        cwd=shop.folder,
        env={**engine.environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def children(pid: int) -> Iterator[int]:
    """The processes under a process, without Python's own keeper of resources."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
                yield child
                yield from children(child)


def test_a_long_wait_holds_no_process_and_ends_although_serve_was_started_anew(
    engine: PrefectEngine, shop: Shop
) -> None:
    shop.write("check: pass", "train: wait 25, pass")
    engine.prepare(shop)
    run = engine.start(shop)
    until(lambda: state(engine, run) == "Waiting", "the flow run waits")
    found = engine.call("GET", f"flow_runs/{run}")
    (told,) = shop.runs()
    due = told["stages"][1]["tasks"][0]["waiting_until"]
    assert found["next_scheduled_start_time"][:19] == due[:19]
    day, time = due[:16].split("T")
    assert found["state"]["message"] == f"until {day} {time} UTC: traffic is collected"
    assert found["parameters"]["run"] == told["run"]
    assert engine.served is not None
    served = engine.served.pid
    until(lambda: not [*children(served)], "the process of the flow run ends")
    assert state(engine, run) == "Waiting"
    engine.stop_serving()
    engine.serve(shop.folder / "flow.py")
    assert ends(engine, run) == "Passed"
    assert shop.calls() == [CHECK, TRAIN, TRAIN]
    assert datetime.now(UTC) > datetime.fromisoformat(due)


def test_a_flow_run_whose_process_is_killed_goes_on_by_itself(
    engine: PrefectEngine, shop: Shop
) -> None:
    shop.write("check: pass", "train: hold, pass")
    engine.prepare(shop)
    run = engine.start(shop)
    until(lambda: TRAIN in shop.calls(), "the step is performed")
    assert engine.served is not None
    for pid in [*children(engine.served.pid)]:
        os.kill(pid, signal.SIGKILL)
    assert ends(engine, run) == "Passed"
    assert shop.calls() == [CHECK, TRAIN, TRAIN]
    states = [line.partition(":")[0] for line in engine.shown(run)]
    assert states.index("Crashed") < states.index("AwaitingRetry") < states.index("Passed")


def test_after_the_loss_of_a_machine_another_flow_run_goes_on_with_the_run(
    engine: PrefectEngine, shop: Shop
) -> None:
    shop.write("check: pass", "train: hold, pass")
    engine.prepare(shop)
    lost = engine.start(shop)
    until(lambda: TRAIN in shop.calls(), "the step is performed")
    assert engine.served is not None
    for pid in [engine.served.pid, *children(engine.served.pid)]:
        os.kill(pid, signal.SIGKILL)
    engine.stop_serving()
    engine.serve(shop.folder / "flow.py")
    run = engine.start_with(shop, run=shop.runs()[0]["run"])
    assert ends(engine, run) == "Passed"
    assert shop.calls() == [CHECK, TRAIN, TRAIN]
    assert state(engine, lost) == "Running"  # Prefect does not know better


def test_a_flow_run_that_is_cancelled_ends_its_step(engine: PrefectEngine, shop: Shop) -> None:
    shop.write("train: hold, pass")
    engine.prepare(shop)
    run = engine.start(shop)
    until(lambda: TRAIN in shop.calls(), "the step is performed")
    engine.call("POST", f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})
    assert ends(engine, run) == "Cancelled"
    until(lambda: not shop.performing(), "the step is given up")


def test_a_work_pool_runs_it_through_a_wait_and_a_crash(engine: PrefectEngine, shop: Shop) -> None:
    """As the guide has it: `prefect deploy`, and a worker on some machine."""
    engine.stop_serving()
    shop.write("check: pass", "train: wait 3, hold, pass")
    shop.export("prefect", shop.folder / "flow.py")

    def prefect(*words: str) -> None:
        done = subprocess.run(
            [PROGRAMS / "prefect", "--no-prompt", *words],
            cwd=shop.folder, env=engine.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    prefect("work-pool", "create", "trains", "--type", "process")
    when = ["--cron", "0 2 * * *", "--timezone", "Europe/Berlin"]
    prefect("deploy", "flow.py:pipeline", "--name", shop.name, "--pool", "trains", *when)
    worker = engine.process("worker.log", "prefect", "worker", "start", "--pool", "trains")
    try:
        run = engine.start(shop)
        until(lambda: len(shop.calls()) == 3, "the wait is over, and the step performed")
        for pid in [*children(worker.pid)]:
            os.kill(pid, signal.SIGKILL)
        # the worker reports it twice, the second time over whatever came between
        log, last = engine.home / "worker.log", "flow_runs.worker - Check whether the flow run"
        until(lambda: last in log.read_text(), "the worker has done with it")
        assert state(engine, run) == "Crashed"
        engine.again(shop, run)
        assert ends(engine, run) == "Passed"
    finally:
        end(worker)
    assert shop.calls() == [CHECK, TRAIN, TRAIN, TRAIN]
    assert [told["verdict"] for told in shop.runs()] == ["pass"]


@pytest.mark.parametrize(
    ("catch_up", "states"),
    [("skip", ["Skipped", "Skipped", "Skipped"]), ("once", ["Skipped", "Skipped", "Passed"])],
)
def test_of_times_that_were_missed_none_or_one_is_made_up_for(
    engine: PrefectEngine, shop: Shop, catch_up: str, states: list[str]
) -> None:
    shop.write("check: pass", schedule='"0 2 * * *"', catch_up=catch_up)
    engine.prepare(shop)
    engine.stop_serving()
    deployment = engine.deployment(shop.name)
    assert deployment is not None
    hours = [datetime.now(UTC) - timedelta(hours=hours) for hours in (3, 2, 1)]
    runs = []
    for hour in hours:
        at = {"type": "SCHEDULED", "state_details": {"scheduled_time": hour.isoformat()}}
        path = f"deployments/{deployment['id']}/create_flow_run"
        runs.append(str(engine.call("POST", path, {"state": at})["id"]))
    # as if its scheduler had made them: nothing but time could have it do that
    with closing(sqlite3.connect(engine.home / "prefect.db")) as database, database:
        database.execute("update flow_run set auto_scheduled = 1 where run_count = 0")
    engine.serve(shop.folder / "flow.py")
    assert [ends(engine, run) for run in runs] == states
    assert "missed: nobody took it up before" in "\n".join(engine.shown(runs[0]))
    fired = json.loads(shop.command("schedules", "--json").stdout)[0]["last"]
    performed = [at for at, ended in zip(hours, states, strict=True) if ended == "Passed"]
    assert [each["time"][:16] for each in fired] == [at.isoformat()[:16] for at in performed]


def test_prefect_fires_when_the_file_says(engine: PrefectEngine) -> None:
    """Away from the days when clocks change; of those the reference speaks."""
    draw, start = random.Random(7), datetime(2026, 11, 2, 0, 30, tzinfo=UTC)  # noqa: S311
    parts = (
        ("*", "0", "*/20", "5/15", "10-50/10"),
        ("*", "2", "8-18/4", "*/6"),
        ("*", "1", "*/2", "13", "1,15"),
        ("*", "11", "dec,jan"),
        ("*", "mon", "0", "7", "*/2", "fri-7"),
    )
    schedules = [" ".join(draw.choice(choices) for choices in parts) for _ in range(150)]
    zones = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]
    asked = [
        {"cron": text, "timezone": zones[i % 4], "day_or": not fields(text).both_days}
        for i, text in enumerate(schedules)
    ]
    code = (
        "import asyncio, json, sys; from datetime import datetime\n"
        "from prefect.server.schemas.schedules import CronSchedule\n"
        "asked, start = json.load(sys.stdin)\n"
        "dates = lambda each: asyncio.run(\n"
        "    CronSchedule(**each).get_dates(n=5, start=datetime.fromisoformat(start)))\n"
        "print(json.dumps([[at.timestamp() for at in dates(each)] for each in asked]))\n"
    )
    done = subprocess.run(
        [PROGRAMS / "python", "-c", code], input=json.dumps([asked, start.isoformat()]),
        env=engine.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for each, fired in zip(asked, json.loads(done.stdout), strict=True):
        before = start - timedelta(seconds=1)
        ours = next_times(str(each["cron"]), str(each["timezone"]), before, 5)
        assert fired == [at.timestamp() for at in ours], each


def test_by_hand_it_sleeps_and_what_was_broken_off_is_gone_on_with(
    engine: PrefectEngine, shop: Shop
) -> None:
    shop.write("check: pass", "train: wait 6, pass")
    shop.export("prefect", shop.folder / "flow.py")
    first = engine.process("by_hand.log", "python", str(shop.folder / "flow.py"))
    log = engine.home / "by_hand.log"
    until(lambda: "(there is no deployment)" in log.read_text(), "it sleeps")
    end(first)
    again = by_hand(engine, shop)
    assert again.returncode == 0, again.stderr
    (told,) = shop.runs()
    assert (told["verdict"], shop.calls()) == ("pass", [CHECK, TRAIN, TRAIN])
    assert f"Finished in state Passed('run {told['run']} passed'" in again.stderr


def test_prefect_remembers_nothing_even_where_it_keeps_results(
    engine: PrefectEngine, shop: Shop
) -> None:
    """Else a step that waited would be taken for one that has been performed."""
    shop.write("check: pass", "train: wait 1, pass")
    shop.export("prefect", shop.folder / "flow.py")
    done = by_hand(engine, shop, PREFECT_RESULTS_PERSIST_BY_DEFAULT="true")
    assert (done.returncode, shop.calls()) == (0, [CHECK, TRAIN, TRAIN])


def test_a_flow_run_that_is_told_to_sleep_is_not_given_back_and_its_log_has_all_that_was_said(
    engine: PrefectEngine, shop: Shop
) -> None:
    shop.write("train: store, wait 3, pass")
    engine.prepare(shop)
    run = engine.start_with(shop, wait="sleep")
    assert ends(engine, run) == "Passed"
    states = [line.partition(":")[0] for line in engine.shown(run)]
    assert states.index("Passed") == 4  # after Scheduled, Pending, Submitting, Running
    assert shop.calls() == [TRAIN] * 3
    until(lambda: "the disk is full" in engine.log(run), "Prefect has the log")
    assert re.search("^sleeping until .* UTC: traffic is collected$", engine.log(run), re.MULTILINE)


def test_by_hand_after_an_approval_it_goes_on_as_it_said(engine: PrefectEngine, shop: Shop) -> None:
    shop.write("check: inconclusive", "train: pass")
    shop.export("prefect", shop.folder / "flow.py")
    first = by_hand(engine, shop)
    assert first.returncode == 1
    (run,) = set(re.findall(r"after seatrial approve: python flow.py --run (\w+)", first.stderr))
    (asked,) = json.loads(shop.command("reviews", "--json").stdout)
    shop.command("approve", asked["id"], "--reason", "looked at it")
    second = by_hand(engine, shop, "--run", run)
    assert (second.returncode, shop.calls()) == (0, [CHECK, TRAIN])


def test_what_is_in_the_way_is_tried_three_times_and_told_in_a_line(
    engine: PrefectEngine, shop: Shop
) -> None:
    shop.write("check: store, store, store, pass")
    shop.export("prefect", shop.folder / "flow.py")
    stopped = by_hand(engine, shop, "--set", "check.probe.note=x")
    assert (stopped.returncode, shop.calls()) == (1, [CHECK] * 3)
    assert "Finished in state InTheWay('the disk is full', type=FAILED)" in stopped.stderr
    again = "python flow.py --set check.probe.note=x"
    assert f"InTheWay('the disk is full\\nonce that is mended: {again}'" in stopped.stderr
    assert "Task run 'check.probe' - the disk is full" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_what_trying_again_does_not_mend_is_told_once(engine: PrefectEngine, shop: Shop) -> None:
    shop.write("check: pass")
    text = shop.export("prefect", shop.folder / "flow.py").read_text()
    shop.write("check: pass; pass")
    changed = by_hand(engine, shop)
    assert changed.returncode == 1
    assert "Error('pipeline.yaml has other stages, tasks or times than when" in changed.stderr
    shop.write("check: pass")
    flow = shop.folder / "flow.py"
    flow.write_text(re.sub(r'SEATRIAL = \[\s*"[^"]+"', 'SEATRIAL = ["/none/python"', text))
    without = by_hand(engine, shop)
    assert without.returncode == 1
    assert 'Error("seatrial cannot be called: [Errno 2] No such file' in without.stderr
    for done in (changed, without):
        assert "Retry 1/2" not in done.stderr
        assert "Traceback" not in done.stderr


def test_another_release_of_prefect_is_warned_of(engine: PrefectEngine, shop: Shop) -> None:
    shop.write("check: pass")
    shop.export("prefect", shop.folder / "flow.py")
    (shop.folder / "sitecustomize.py").write_text("import prefect\nprefect.__version__ = '3.9.1'\n")
    path = f"{shop.folder}{os.pathsep}{engine.environment['PYTHONPATH']}"
    done = by_hand(engine, shop, PYTHONPATH=path)
    assert done.returncode == 0
    assert "tested with Prefect from 3.8 to below 3.9; this is 3.9.1" in done.stderr


def test_a_server_of_its_own_that_cannot_start_is_told_with_what_to_install(
    engine: PrefectEngine, shop: Shop
) -> None:
    """As where FastAPI is newer than Prefect knows; with the address of a server it matters not."""
    shop.write("check: pass")
    shop.export("prefect", shop.folder / "flow.py")
    (shop.folder / "fastapi.py").write_text("raise TypeError('no min_items')\n")
    path = f"{shop.folder}{os.pathsep}{engine.environment['PYTHONPATH']}"
    alone = by_hand(engine, shop, PYTHONPATH=path, PREFECT_API_URL="")
    assert alone.returncode == 2
    assert alone.stderr.startswith("flow.py needs Prefect: ")
    assert "'fastapi<0.151' (no min_items); or set PREFECT_API_URL" in alone.stderr
    assert by_hand(engine, shop, PYTHONPATH=path).returncode == 0


def test_serve_takes_no_settings_of_one_run(engine: PrefectEngine, shop: Shop) -> None:
    shop.write("check: pass")
    shop.export("prefect", shop.folder / "flow.py")
    done = by_hand(engine, shop, "serve", "--set", "check.probe.note=x")
    assert done.returncode == 2
    assert "--set and --run are for one run: leave out serve" in done.stderr

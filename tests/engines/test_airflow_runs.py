"""What is Airflow's own: deferrals, signals, cleared tasks, its schedule, its pages."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_engine import AirflowEngine
from scenarios import Play, Shop, until, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.engines, pytest.mark.xdist_group("airflow")]


@pytest.fixture(scope="module")
def airflow() -> Iterator[AirflowEngine]:
    with closing(AirflowEngine()) as engine:
        yield engine


@pytest.fixture
def play(request: pytest.FixtureRequest, tmp_path: Path, airflow: AirflowEngine) -> Play:
    return Play(airflow, Shop(tmp_path, request.node.originalname.removeprefix("test_")[:40]))


def task(airflow: AirflowEngine, play: Play, run: str, name: str) -> dict[str, Any]:
    path = f"dags/{play.shop.name}/dagRuns/{run}/taskInstances/{name}"
    found: dict[str, Any] = airflow.api("GET", path)
    return found


def test_a_wait_holds_no_slot_and_outlives_the_triggerer(
    airflow: AirflowEngine, play: Play
) -> None:
    play.prepare("check: wait 12, pass", "train: pass")
    run = play.start()
    play.waits(run)
    assert airflow.tasks(play.shop.name, run)["check.probe"] == "deferred"
    pool = airflow.api("GET", "pools/default_pool")
    assert (pool["deferred_slots"], pool["occupied_slots"]) == (1, 0)
    shown = airflow.xcoms(play.shop.name, run, "check.probe")
    assert (shown["state"], shown["reason"]) == ("waiting", "traffic is collected")
    airflow.kill("triggerer")
    airflow.process("triggerer", "--skip-serve-logs")
    assert play.ended(run).state == "succeeded"
    assert play.shop.calls() == ["check.probe", "check.probe", "train.probe"]
    # it was one try: a wait is not an error
    assert task(airflow, play, run, "check.probe")["try_number"] == 1


def test_what_a_task_shows(airflow: AirflowEngine, play: Play) -> None:
    play.prepare("check: pass; inconclusive", "train: pass")
    run = play.start()
    seen = play.ended(run)
    (told,) = play.shop.runs()
    name = play.shop.name
    assert airflow.xcoms(name, run, "seatrial-begin")["run"] == told["run"]
    shown = airflow.xcoms(name, run, "check.probe-2")
    assert (shown["verdict"], shown["reason"]) == ("inconclusive", "call 1: inconclusive")
    page = f"http://127.0.0.1:{airflow.port}/dags/{name}/runs/{run}/tasks/seatrial-report"
    for shows in ("seatrial-begin", "check.probe", "check.probe-2", "seatrial-report"):
        links = airflow.api("GET", f"dags/{name}/dagRuns/{run}/taskInstances/{shows}/links")
        assert links["extra_links"] == {"Report": page}
    report = airflow.xcoms(name, run, "seatrial-report")
    assert (report["verdict"], told["run"] in report["report"]) == ("inconclusive", True)
    assert "`seatrial reviews`" in seen.text
    assert "after `seatrial approve`, clear this task" in seen.text
    assert airflow.tasks(name, run)["train.probe"] == "upstream_failed"


def test_a_task_that_is_marked_failed_ends_its_step(airflow: AirflowEngine, play: Play) -> None:
    play.prepare("check: hold", "train: pass")
    run = play.start()
    until(play.shop.performing, "the step is performed")
    path = f"dags/{play.shop.name}/dagRuns/{run}/taskInstances/check.probe"
    airflow.api("PATCH", path, {"new_state": "failed"})
    until(lambda: not play.shop.performing(), "the step has ended", within_s=25)
    assert play.ended(run).state == "failed"
    # cleared, it is performed again
    (play.shop.folder / "go").touch()
    airflow.clear(play.shop, run, "check.probe")
    assert play.ended(run).state == "succeeded"
    (told,) = play.shop.runs()
    assert told["verdict"] == "pass"


def test_a_step_whose_task_was_killed_is_finished_once(airflow: AirflowEngine, play: Play) -> None:
    """The step goes on as an orphan; the next try of the task waits for it, and hears of it."""
    play.prepare("check: hold", "train: pass")
    run = play.start()
    until(play.shop.performing, "the step is performed")
    os.kill(task(airflow, play, run, "check.probe")["pid"], signal.SIGKILL)
    until(lambda: len(play.shop.performing()) == 2, "the task is tried again")
    (play.shop.folder / "go").touch()
    assert play.ended(run).state == "succeeded"
    (told,) = play.shop.runs()
    assert (told["verdict"], play.shop.calls()) == ("pass", ["check.probe", "train.probe"])


def test_clearing_the_first_task_begins_anew(airflow: AirflowEngine, play: Play) -> None:
    play.prepare("check: fail, pass", "train: pass")
    run = play.start()
    assert play.ended(run).state == "failed"
    airflow.clear(play.shop, run, "seatrial-begin")
    assert play.ended(run).state == "succeeded"
    assert [told["verdict"] for told in play.shop.runs()] == ["fail", "pass"]


def test_a_scheduled_time_is_known_to_seatrial(airflow: AirflowEngine, play: Play) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=70)
    play.prepare("check: pass", schedule=f'"{soon.minute} {soon.hour} * * *"')

    def fired() -> Any:
        runs = airflow.api("GET", f"dags/{play.shop.name}/dagRuns")["dag_runs"]
        return [run for run in runs if run["run_type"] == "scheduled"]

    (run, *_) = until(fired, "the schedule fires", within_s=120)
    assert play.ended(run["dag_run_id"]).state == "succeeded"
    (told,) = play.shop.runs()
    fired_then = f"{soon:%Y-%m-%d %H:%M}  fired  {told['run']}"
    assert fired_then in play.shop.command("schedules").stdout


def test_what_trying_again_does_not_mend_fails_at_once(airflow: AirflowEngine, play: Play) -> None:
    play.shop.write("check: pass", "tell if '!stages.check.passed': pass")
    file = airflow.home / "dags" / f"{play.shop.name}.py"
    words = ("export", "airflow", "pipeline.yaml", "-o", str(file), "--unchecked")
    assert play.shop.command(*words, "--python", "/nowhere/bin/python").returncode == 0
    airflow.known(play.shop.name, file)
    run = play.start()
    seen = play.ended(run)
    assert seen.state == "failed"
    assert "seatrial cannot be called" in seen.text
    assert "/nowhere/bin/python" in seen.text
    assert task(airflow, play, run, "seatrial-begin")["try_number"] == 1
    assert airflow.tasks(play.shop.name, run) == {
        "seatrial-begin": "failed",
        "check.probe": "upstream_failed",
        "tell.probe": "skipped",
        "seatrial-report": "failed",
    }


def test_the_file_runs_as_a_program(airflow: AirflowEngine, play: Play, tmp_path: Path) -> None:
    """``dag.test()``: in this process, waits included."""
    play.shop.write("check: wait 3, pass", "train: pass")
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    file = play.shop.export("airflow", home / "dags" / f"{play.shop.name}.py")
    settings = {
        **airflow.settings,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
    }
    for words in ([airflow.program, "db", "migrate"], [airflow.program.with_name("python"), file]):
        done = subprocess.run(
            [*words, *(["train.probe.script=[fail]"] if file in words else [])],
            env=settings, cwd=home, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    (told,) = play.shop.runs()
    assert verdicts(told) == ["pass", "fail"]
    assert play.shop.calls() == ["check.probe", "check.probe", "train.probe"]

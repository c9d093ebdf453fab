"""The DAG as Airflow itself reads it from the file; nothing is run."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from airflow_engine import PROGRAM, environment
from airflow_file import CALL, OUTLINE, exported
from seatrial.pipeline.times import missed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.engines, pytest.mark.xdist_group("airflow")]

READ = """
import importlib.util, json, sys, airflow

def read(file):
    spec = importlib.util.spec_from_file_location("dag_file", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag = module.dag
    from airflow.serialization.encoders import coerce_to_core_timetable
    return dag, coerce_to_core_timetable(dag.timetable)

def told(dag, timetable):
    return {
        "tasks": {
            task.task_id: {
                "after": sorted(task.upstream_task_ids), "rule": task.trigger_rule,
                "retries": task.retries, "pause_s": task.retry_delay.total_seconds(),
                "stage": task.task_group.group_id,
            }
            for task in dag.tasks
        },
        "schedule": timetable.summary, "catchup": dag.catchup, "start": str(dag.start_date),
        "at_once": dag.max_active_runs, "set": dag.params["set"], "about": dag.doc_md,
    }

def times(timetable, since, until):
    from airflow.sdk.timezone import parse
    at, last, found = parse(since), parse(until), []
    while (at := timetable._get_next(at)) <= last:
        found.append(at.isoformat())
    return found
"""


def in_airflow(folder: Path, script: str, *words: str) -> Any:
    """What a script prints as JSON at its end, under Airflow's interpreter; and its log."""
    if not PROGRAM.exists():
        pytest.skip(f"Airflow is not installed: {PROGRAM} (`make test` installs it)")
    done = subprocess.run(
        [PROGRAM.with_name("python"), "-W", "error::SyntaxWarning", "-c", READ + script, *words],
        env=environment(folder, 0), cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_stages_are_groups_and_only_a_condition_lets_a_stage_start_after_a_failure(
    tmp_path: Path,
) -> None:
    file = tmp_path / "flights_late.py"
    file.write_text(exported())
    told, log = in_airflow(tmp_path, "print(json.dumps(told(*read(sys.argv[1]))))", str(file))
    tasks = told["tasks"]
    assert {name: (task["stage"], task["after"], task["rule"]) for name, task in tasks.items()} == {
        "seatrial-begin": (None, [], "all_success"),
        "check_data.check_schema": ("check_data", ["seatrial-begin"], "all_success"),
        "check_data.check_schema-2": ("check_data", ["check_data.check_schema"], "all_success"),
        "tell.probe": ("tell", ["check_data.check_schema-2"], "all_done"),
        "train_model.train": (
            "train_model", ["check_data.check_schema-2", "tell.probe"], "all_success",
        ),
        "seatrial-report": (
            None, ["check_data.check_schema-2", "tell.probe", "train_model.train"], "all_done",
        ),
    }  # fmt: skip
    assert {(task["retries"], task["pause_s"]) for task in tasks.values()} == {(2, 1)}
    assert told["schedule"] == OUTLINE.schedule
    # only times to come, and at most the latest of those that were missed
    assert (told["catchup"], told["start"]) == (False, "None")
    assert (told["at_once"], told["set"]) == (16, [])
    assert "| tell | !stages.check_data.passed | probe |" in told["about"]
    assert "tested with" not in log


def test_another_release_of_airflow_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "flights_late.py"
    file.write_text(exported())
    script = "airflow.__version__ = '3.9.0'; print(json.dumps(read(sys.argv[1])[0].dag_id))"
    told, log = in_airflow(tmp_path, script, str(file))
    assert told == "flights_late"
    assert "tested with Airflow 3.2 to 3.3; this is 3.9.0" in log


@pytest.mark.parametrize("schedule", ["0 0 * * *", "0 0 1 1 *", "* * * * *"])
def test_times_before_the_file_was_there_do_not_count(tmp_path: Path, schedule: str) -> None:
    file = tmp_path / "flights_late.py"
    file.write_text(exported(schedule=schedule, catch_up="once", timezone="UTC"))
    script = """
from airflow.timetables.base import TimeRestriction
dag, timetable = read(sys.argv[1])
restriction = TimeRestriction(earliest=dag.start_date, latest=None, catchup=dag.catchup)
found = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
print(json.dumps(found.run_after.isoformat()))
"""
    before = datetime.now(UTC)
    first, _ = in_airflow(tmp_path, script, str(file))
    assert datetime.fromisoformat(first) > before


@pytest.mark.parametrize(("catch_up", "becomes"), [("skip", "skipped"), ("once", "asked")])
def test_a_time_that_was_missed(tmp_path: Path, catch_up: str, becomes: str) -> None:
    """Airflow fires the latest of them, however late; ``catch_up`` says what becomes of it."""
    file = tmp_path / "flights_late.py"
    file.write_text(exported(catch_up=catch_up))
    script = """
from datetime import timedelta
from types import SimpleNamespace
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.timezone import utcnow
begin = read(sys.argv[1])[0].get_task("seatrial-begin")
run = SimpleNamespace(
    dag_id="flights_late", run_id="r", run_type="scheduled", start_date=utcnow(),
    run_after=utcnow() - timedelta(minutes=11),
)
ti = SimpleNamespace(try_number=1, xcom_push=lambda **_: None)
try:
    type(begin).execute.__wrapped__(begin, {"dag_run": run, "ti": ti, "params": {"set": None}})
except AirflowSkipException as error:
    print(json.dumps("skipped" if "catch_up is skip" in str(error) else str(error)))
except AirflowFailException as error:
    print(json.dumps("asked" if "seatrial cannot be called" in str(error) else str(error)))
"""
    assert in_airflow(tmp_path, script, str(file))[0] == becomes


@pytest.mark.parametrize("base", ["", "https://airflow.example/team/"])
def test_the_link_to_the_report(tmp_path: Path, base: str) -> None:
    """Where Airflow does not know its address, it leads to where the page is seen."""
    file = tmp_path / "flights_late.py"
    file.write_text(exported())
    script = """
import os
from types import SimpleNamespace
os.environ.pop("AIRFLOW__API__BASE_URL")
if sys.argv[2]:
    os.environ["AIRFLOW__API__BASE_URL"] = sys.argv[2]
task = read(sys.argv[1])[0].get_task("tell.probe")
key = SimpleNamespace(dag_id="flights_late", run_id="scheduled__2026-11-26T02:00:00+00:00")
print(json.dumps(task.operator_extra_links[0].get_link(task, ti_key=key)))
"""
    link, _ = in_airflow(tmp_path, script, str(file), base)
    run = "scheduled__2026-11-26T02%3A00%3A00%2B00%3A00"
    page = f"/dags/flights_late/runs/{run}/tasks/seatrial-report"
    assert link == base.rstrip("/") + page


def test_an_infinite_bound_is_shown_as_a_word(tmp_path: Path) -> None:
    file = tmp_path / "flights_late.py"
    file.write_text(exported())
    script = """
from types import SimpleNamespace
shown = {}
ti = SimpleNamespace(xcom_push=lambda key, value: shown.update({key: value}))
told = {"state": "done", "verdict": "pass", "reason": "", "measures": [{"high": float("inf")}]}
read(sys.argv[1])[0].get_task("tell.probe").show({"ti": ti}, told)
print(json.dumps(shown, allow_nan=False))
"""
    told, _ = in_airflow(tmp_path, script, str(file))
    assert told == {"state": "done", "verdict": "pass", "measures": [{"high": "Infinity"}]}


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
SCHEDULES = (
    "0 2 * * *", "30 2 * * *", "0 5 * * 1-5", "15 0 1 * *", "0 4 1 * mon", "*/30 * * * *",
    "0 */6 * * *",
)  # fmt: skip
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def test_the_cron_of_airflow_means_what_ours_means(tmp_path: Path) -> None:
    """A year of times; only when clocks change a moment may differ, and by little."""
    cases = [(schedule, zone) for zone in ZONES for schedule in SCHEDULES]
    files = [tmp_path / f"dag_{number}.py" for number in range(len(cases))]
    for file, (schedule, zone) in zip(files, cases, strict=True):
        file.write_text(exported(CALL, schedule=schedule, timezone=zone))
    script = (
        "found = [times(read(file)[1], sys.argv[1], sys.argv[2]) for file in sys.argv[3:]];"
        "print(json.dumps(found))"
    )
    found, _ = in_airflow(tmp_path, script, SINCE.isoformat(), UNTIL.isoformat(), *map(str, files))
    for (schedule, zone), theirs in zip(cases, found, strict=True):
        ours = set(missed(schedule, zone, SINCE, UNTIL))
        differing = ours ^ {datetime.fromisoformat(at) for at in theirs}
        assert all(_clocks_change(at, zone) for at in differing), (schedule, zone, differing)
        assert len(ours) == len(theirs), (schedule, zone)


def _clocks_change(at: datetime, zone: str) -> bool:
    """Whether they do within two hours of that moment."""
    there, span = ZoneInfo(zone), timedelta(hours=2)
    return (at - span).astimezone(there).utcoffset() != (at + span).astimezone(there).utcoffset()

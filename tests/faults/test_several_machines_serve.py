"""Two machines that serve, with one ledger: a time has one run, and people are told once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fleet import Fleet, demand_one_pass, end
from running import MODEL, founding, serving, until
from seatrial.ledger import firings, runs
from seatrial.registry import gateways
from shared_places import new_bucket, new_schema

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import Server
    from running import Project

pytestmark = pytest.mark.slow  # processes of their own

AT = datetime(2026, 1, 1, 2, tzinfo=UTC)
BASELINE = "baseline_distribution.json"
SHADOW = "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n"
NIGHTLY = "schedule: '0 2 * * *'"
TIME = ("--scheduled", AT.isoformat())


def _fired(fleet: Fleet) -> None:
    """A scheduler has noted the time; its run has yet to begin."""
    firings.seen(fleet.ledger, "fleet", "0 2 * * *", "UTC")
    assert firings.fire(fleet.ledger, "fleet", AT, "a scheduler")


def test_a_time_has_one_run_also_when_one_machine_reads_its_data_for_long(fleet: Fleet) -> None:
    """The second job looked before the first began, and begins after the first has ended."""
    fleet.write("toil", more=NIGHTLY)
    _fired(fleet)
    flag = fleet.folder.parent / "flag"
    late = fleet.start("two", "job", "run", "pipeline.yaml", *TIME, how=("--reads", str(flag)))
    until(flag.with_suffix(".reading").exists, "the second job reads")
    first = end(fleet.start("one", "job", "run", "pipeline.yaml", *TIME))
    assert first.code == 0, first.said
    flag.touch()
    needless = end(late)
    assert (needless.code, "job_needless" in needless.said) == (0, True), needless.said
    demand_one_pass(fleet, 1)
    assert fleet.calls() == {"work.toil": 1}


def test_a_time_has_one_run_also_when_another_engine_has_the_schedule_too(fleet: Fleet) -> None:
    fleet.write("toil", more=NIGHTLY)
    flag = fleet.folder.parent / "flag"
    words = ("begin", "pipeline.yaml", "--engine", "airflow", "--once", "r1", *TIME, "--json")
    late = fleet.start("two", *words, how=("--reads", str(flag)))
    until(flag.with_suffix(".reading").exists, "the other engine reads")
    _fired(fleet)
    first = end(fleet.start("one", "job", "run", "pipeline.yaml", *TIME))
    assert first.code == 0, first.said
    flag.touch()
    told = json.loads(end(late).out)
    (run,) = fleet.runs()
    assert (told["state"], told["run"]) == ("skipped", run.id)
    assert told["reason"] == f"a scheduler has fired this time: run {run.id}"
    demand_one_pass(fleet, 1)


def test_two_schedulers_fire_a_time_once_and_end_a_wait_once(fleet: Fleet) -> None:
    fleet.write("pause: {seconds: 4}", "toil: {seconds: 1}", more=NIGHTLY)
    _fired(fleet)
    for home in ("one", "two"):
        fleet.start(home, "scheduler", "--folder", ".")
    until(lambda: any(run.ended for run in fleet.runs()), "the run ends")
    assert fleet.calls() == {"work.pause": 2, "work.toil": 1}
    assert fleet.at_once() == 1
    demand_one_pass(fleet, 2)
    (firing,) = firings.latest(fleet.ledger, "fleet")
    assert (firing.state, firing.run) == (firings.State.FIRED, fleet.runs()[0].id)
    assert runs.unfinished(fleet.ledger) == []


@pytest.fixture
def project(tmp_path: Path, postgres: Server, s3: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The founding pipeline without its two days of waiting; where it is, the environment says."""
    monkeypatch.setenv("SEATRIAL_DATABASE", new_schema(postgres))
    monkeypatch.setenv("SEATRIAL_BLOBS", f"{new_bucket(s3)}/flights")
    made = founding(tmp_path / "project")
    text = made.file.read_text()
    assert SHADOW in text
    made.file.write_text(text.replace(SHADOW, ""))
    return made


def test_what_one_machine_trains_the_gateways_of_others_prepare_and_serve(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = {name: str(project.folder.parent / name) for name in ("one", "two", "three")}
    monkeypatch.setenv("SEATRIAL_HOME", homes["three"])

    def deliver(seed: int) -> None:
        project.rows("training_data", 1500, seed)
        assert project.command("profile", "data/training_data.csv", "-o", BASELINE).returncode == 0
        ended = project.command("run", "pipeline.yaml", "--json")
        assert ended.returncode == 0, ended.stdout

    with (
        serving(project, wait=False, SEATRIAL_HOME=homes["one"]) as one,
        serving(project, wait=False, SEATRIAL_HOME=homes["two"]) as two,
    ):
        until(lambda: _gateways(project) == 2, "both are known")
        deliver(seed=1)
        for gateway in (one, two):
            until(gateway.ready, "it serves what the third machine trained")
        deliver(seed=11)  # both have prepared it, or it would not have been promoted
        until(lambda: one.version() == two.version() == 2, "both serve it")
        back = project.command("rollback", MODEL, "--reason", "to see it")
        assert back.returncode == 0, back.stderr
        until(lambda: one.version() == two.version() == 1, "both went back")
        # a machine that burns down holds nobody up for long
        two.process.kill()
        deliver(seed=12)
        until(lambda: one.version() == 3, "the one that is left serves it")


def _gateways(project: Project) -> int:
    with project.stores() as stores:
        return len(gateways.live(stores.ledger, stores.workspace.home))

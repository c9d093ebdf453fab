"""Killed at any moment, the same command ends the run as it would have ended without the kill."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from seatrial import workspace
from seatrial.cli import root
from seatrial.ledger import claims, runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Verdict
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from seatrial.registry.project import Project

pytestmark = pytest.mark.slow

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
VICTIM = Path(__file__).with_name("victim.py")
KILLS, GROUPS = 50, 10
EVENTS = 25
STEPS = 9


def _dataset(file: Path, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 3))
    target = features @ [1.0, 0.5, -0.3] + rng.normal(scale=0.2, size=rows) > 0
    np.savetxt(
        file,
        np.c_[features, target],
        delimiter=",",
        header="feature_1,feature_2,feature_3,target",
        comments="",
        fmt=["%.6f"] * 3 + ["%d"],
    )


@pytest.fixture(scope="module")
def founding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The founding pipeline over little data, never run."""
    folder = tmp_path_factory.mktemp("founding")
    (folder / "data").mkdir()
    (folder / "config").mkdir()
    shutil.copy(FOUNDING, folder / "pipeline.yaml")
    _dataset(folder / "data" / "training_data.csv", 1000, 1)
    _dataset(folder / "data" / "validation_data.csv", 500, 2)
    (folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 30\nnum_leaves: 7\n")
    profiled = CliRunner().invoke(
        root,
        [
            "profile",
            str(folder / "data" / "training_data.csv"),
            "-o",
            str(folder / "baseline_distribution.json"),
        ],
    )
    assert profiled.exit_code == 0, profiled.output
    return folder


def _start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "seatrial", "run", "pipeline.yaml"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def clean_s(founding: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a clean run takes, here and now."""
    folder = tmp_path_factory.mktemp("clean") / "project"
    shutil.copytree(founding, folder)
    began = time.monotonic()
    assert _start(folder).wait(timeout=120) == 0
    ended = time.monotonic()
    _demand_clean(folder)
    return ended - began


@pytest.mark.parametrize("group", range(GROUPS))
def test_50_kills_spread_over_a_run_change_nothing(
    group: int, founding: Path, clean_s: float, tmp_path: Path
) -> None:
    killed = 0
    for number in range(group, KILLS, GROUPS):
        folder = tmp_path / str(number)
        shutil.copytree(founding, folder)
        victim = _start(folder)
        killed += _kill_after(victim, clean_s * (number + 0.5) / KILLS)
        _run_to_the_end(folder)
        _demand_clean(folder)
    assert killed, "every run was over before its kill: the kills prove nothing"


@pytest.mark.parametrize("moment", ["inside", "after"])
@pytest.mark.parametrize("number", range(1, EVENTS + 1))
def test_a_kill_at_every_event_changes_nothing(
    number: int, moment: str, founding: Path, tmp_path: Path
) -> None:
    """Most of a small run is imports; these kills hit each event, before and after its commit."""
    folder = tmp_path / "project"
    shutil.copytree(founding, folder)
    victim = subprocess.run(
        [sys.executable, str(VICTIM), str(number), moment, "run", "pipeline.yaml"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    _run_to_the_end(folder)
    _demand_clean(folder)


def test_a_clean_run_has_as_many_events_as_are_killed_at(founding: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(founding, folder)
    _run_to_the_end(folder)
    project = open_project(workspace.at(folder))
    assert len(list(project.ledger.events())) == EVENTS
    project.ledger.close()


def _kill_after(victim: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the kill met it alive."""
    try:
        victim.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        victim.kill()
    return victim.wait() == -signal.SIGKILL


def _run_to_the_end(folder: Path) -> None:
    file = str(folder / "pipeline.yaml")
    began = time.monotonic()
    ended = CliRunner().invoke(root, ["run", file], standalone_mode=False)
    assert ended.exception is None, ended.output
    assert ended.return_value == 0, ended.output
    assert time.monotonic() - began < claims.LEASE_S / 2, "restarting waited for a lease"


def _demand_clean(folder: Path) -> None:
    project = open_project(workspace.at(folder))
    try:
        _demand_one_delivery(project)
        _demand_one_effect_a_step(project)
        verify(project.ledger)
        _demand_whole_blobs(project)
    finally:
        project.ledger.close()


def _demand_one_delivery(project: Project) -> None:
    registry = project.registry
    (version,) = registry.versions()
    registry.verify(version)
    (move,) = registry.history()
    assert (move["event"], move["version"]) == ("promote", 1)
    production, staging = (registry.channel(version.model, c) for c in ("production", "staging"))
    assert production
    assert staging
    assert (production.version, production.revision) == (1, 1)
    assert (staging.version, staging.revision) == (1, 1)
    assert registry.policy(version.model) is not None
    assert len(list(project.ledger.events("policy_installed"))) == 1


def _demand_one_effect_a_step(project: Project) -> None:
    """Of every run: one, unless the kill came too late to meet it."""
    finished = Counter(
        (event.body["run"], event.body["step"]) for event in project.ledger.events("step_finished")
    )
    assert set(finished.values()) == {1}
    for run in runs.latest(project.ledger):
        assert (run.state, run.verdict, run.production_after) == (State.FINISHED, Verdict.PASS, 1)
        assert sum(of == run.id for of, _ in finished) == STEPS


def _demand_whole_blobs(project: Project) -> None:
    """A killed writer leaves part files only: no blob that is not what its name says."""
    blobs = project.registry.blobs
    home = project.workspace.home
    known = {project.workspace.ledger, project.workspace.lock, home / "machine", *blobs.partial()}
    for digest, path in blobs.all():
        blobs.get(digest)
        known.add(path)
    beside = {project.workspace.ledger.with_name(f"ledger.db-{end}") for end in ("wal", "shm")}
    assert {f for f in home.rglob("*") if f.is_file()} <= known | beside

"""Killed while it replaces its own reference, a run is resumed and ends as without the kill."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import seatrial
from seatrial import workspace
from seatrial.data.dataset import named
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.ledger import runs
from seatrial.ledger.blobs import digest_of
from seatrial.ledger.replaced import KIND
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Verdict
from seatrial.registry.project import open_project

pytestmark = pytest.mark.slow

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
VICTIM = Path(__file__).with_name("victim.py")
TASK = "      - update_baseline: {dataset: training_data, reference: baseline_distribution.json}\n"
STEP = "deploy_model.update_baseline"


def _rows(file: Path, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 3))
    target = features @ [1.0, 0.5, -0.3] + random.normal(scale=0.2, size=count) > 0
    head = "feature_1,feature_2,feature_3,target"
    form = ["%.6f"] * 3 + ["%d"]
    np.savetxt(file, np.c_[features, target], delimiter=",", header=head, comments="", fmt=form)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The founding pipeline that ends with the task, with a baseline of other rows."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("data", "config"):
        (folder / name).mkdir()
    for name, count, seed in (("training_data", 1500, 1), ("validation_data", 500, 2)):
        _rows(folder / "data" / f"{name}.csv", count, seed)
    _rows(folder / "earlier.csv", 1500, 3)
    profile.write(_profile(folder / "earlier.csv"), folder / "baseline_distribution.json")
    (folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 20\nnum_leaves: 7\n")
    text = FOUNDING.read_text().replace("threshold: 0.1 ", "threshold: 0.3 ")
    (folder / "pipeline.yaml").write_text(text + TASK)
    return folder


def _profile(data: Path) -> profile.Profile:
    return profile.make(open_table(named(str(data))))


@pytest.fixture(scope="module")
def moments(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Which event of a clean run is the noting of the replacement, the step's end, the run's."""
    folder = tmp_path_factory.mktemp("clean") / "project"
    shutil.copytree(project, folder)
    assert seatrial.run(folder / "pipeline.yaml").exit_code == 0
    opened = open_project(workspace.at(folder))
    events = list(opened.ledger.events())
    opened.ledger.close()
    found = {e.kind: e.seq for e in events if e.kind in {KIND, "run_ended"}}
    found["step_finished"] = max(
        e.seq for e in events if e.kind == "step_finished" and e.body["step"] == STEP
    )
    return found


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        (KIND, "inside"),  # nothing is noted yet
        (KIND, "after"),  # noted, and the old file still stands
        ("step_finished", "inside"),  # the new file stands, and nobody has said so
        ("step_finished", "after"),
        ("run_ended", "inside"),
    ],
)
def test_a_kill_around_the_replacement_changes_nothing(
    kind: str, moment: str, project: Path, moments: dict[str, int], tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    before = (folder / "baseline_distribution.json").read_bytes()
    victim = subprocess.run(
        [sys.executable, str(VICTIM), str(moments[kind]), moment, "run", "pipeline.yaml"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert victim.returncode == -signal.SIGKILL, victim.stderr.decode()
    driven = seatrial.run(folder / "pipeline.yaml")
    assert driven.exit_code == 0, driven.document["errors"]
    after = (folder / "baseline_distribution.json").read_bytes()
    assert profile.read(folder / "baseline_distribution.json") == _profile(
        folder / "data" / "training_data.csv"
    )
    opened = open_project(workspace.at(folder))
    try:
        (run,) = runs.latest(opened.ledger)  # the same one, and no other
        assert (run.state, run.verdict) == (State.FINISHED, Verdict.PASS)
        assert len(list(opened.ledger.events(KIND))) == 1
        said = next(s.outcome for s in runs.steps(opened.ledger, run.id) if s.address == STEP)
        assert said is not None
        assert said.blobs == {
            "baseline.before": digest_of(before), "baseline.after": digest_of(after)
        }  # fmt: skip
        assert all(map(opened.registry.blobs.has, said.blobs.values()))
        verify(opened.ledger)
    finally:
        opened.ledger.close()

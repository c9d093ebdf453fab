"""`update_baseline`: a new reference only from data that passed and a model that was promoted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from seatrial.cli import root
from seatrial.data.dataset import named
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.engines._resume import resume
from seatrial.ledger import runs
from seatrial.ledger.blobs import digest_of
from seatrial.ledger.verify import verify
from seatrial.registry.collect import collect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.data.profiles.profile import Profile
    from seatrial.registry.project import Project as Stores

    from .conftest import Project

pytestmark = pytest.mark.slow  # each is quick, and there are many

WORD = "update_baseline"
TASK = f"      - {WORD}: {{dataset: training_data, reference: baseline_distribution.json}}\n"


class Stopped(Exception):  # noqa: N818 - it is no error
    """Somebody ended the process."""


def _stop_at(begins: str) -> Callable[[str], None]:
    def hear(line: str) -> None:
        if line.startswith(begins):
            raise Stopped

    return hear


def reference(project: Project) -> Path:
    return project.folder / "baseline_distribution.json"


def now(project: Project, *by: str) -> Profile:
    return profile.make(open_table(named(str(project.folder / "data" / "training_data.csv"))), by)


@pytest.fixture
def moving(fresh: Project) -> Project:
    """The founding project with the task at its end, and training rows unlike its baseline's."""
    fresh.rows("training_data", 1500, 7)
    fresh.edit("threshold: 0.1 ", "threshold: 0.3 ")
    fresh.file.write_text(fresh.file.read_text() + TASK)
    return fresh


def test_it_becomes_the_profile_of_the_promoted_model_s_data(
    moving: Project, stores: Callable[[Project], Stores]
) -> None:
    before = reference(moving).read_bytes()
    went = moving.run()
    assert (went.code, went.verdict(WORD)) == (0, "pass"), went.document
    assert "is now a profile of training_data: 1500 rows, 4 columns" in went.reason(WORD)
    assert profile.read(reference(moving)) == now(moving)
    opened = stores(moving)
    said = next(
        step.outcome
        for step in runs.steps(opened.ledger, went.run)
        if step.address.endswith(WORD) and step.outcome
    )
    after = reference(moving).read_bytes()
    kept = {name: opened.registry.blobs.get(digest) for name, digest in said.blobs.items()}
    assert kept == {"baseline.before": before, "baseline.after": after}
    fact = said.facts["baseline"]
    assert isinstance(fact, dict)
    assert (fact["before"], fact["after"]) == (digest_of(before), digest_of(after))
    verify(opened.ledger)


def test_the_old_profile_outlives_a_collection(
    moving: Project, stores: Callable[[Project], Stores]
) -> None:
    before = reference(moving).read_bytes()
    assert moving.run().verdict(WORD) == "pass"
    registry = stores(moving).registry
    collect(registry, timedelta(0), grace=timedelta(seconds=-60))
    for content in (before, reference(moving).read_bytes()):
        assert registry.blobs.get(digest_of(content)) == content


def test_slices_stay_slices(moving: Project) -> None:
    table = open_table(named(str(moving.folder / "data" / "validation_data.csv")))
    profile.write(profile.make(table, ["target"]), reference(moving))
    went = moving.run()
    assert went.verdict(WORD) == "pass", went.document
    assert profile.read(reference(moving)) == now(moving, "target")


def test_nothing_is_written_when_nothing_was_promoted(moving: Project) -> None:
    assert moving.run().code == 0
    stands = reference(moving).read_bytes()
    moving.edit("# Max KL", "# max KL")
    went = moving.run()
    assert (went.code, went.verdict(WORD)) == (0, "skip"), went.document
    assert "nothing was promoted" in went.reason(WORD)
    assert reference(moving).read_bytes() == stands


def test_nothing_is_written_when_the_gates_failed(moving: Project) -> None:
    stands = reference(moving).read_bytes()
    went = moving.run(
        "evaluate_model.integration_tests.performance_threshold=0.999",
    )
    assert went.code != 0
    assert went.task(WORD)["state"] == "not_reached"
    assert reference(moving).read_bytes() == stands


def test_nothing_is_written_when_the_rows_changed_after_the_check(
    moving: Project, stores: Callable[[Project], Stores]
) -> None:
    stands = reference(moving).read_bytes()
    with pytest.raises(Stopped):
        moving.run(say=_stop_at("deploy_model.rollback_plan: pass"))
    moving.rows("training_data", 1500, 8)
    opened = stores(moving)
    (run,) = runs.latest(opened.ledger)
    driven = resume(opened, run.id)  # as `seatrial serve` goes on: by its id, not by what it reads
    stages: Any = driven.document["stages"]
    said = next(t for stage in stages for t in stage["tasks"] if t["task"] == WORD)
    assert (driven.exit_code, said["verdict"]) == (0, "skip")
    assert "changed since validate_data.check_schema saw it" in said["reason"]
    assert reference(moving).read_bytes() == stands


def test_the_same_rows_again_change_nothing(fresh: Project) -> None:
    fresh.file.write_text(fresh.file.read_text() + TASK)
    stands = reference(fresh).read_bytes()
    went = fresh.run()
    assert (went.code, went.verdict(WORD)) == (0, "pass"), went.document
    assert "these very rows already" in went.reason(WORD)
    assert reference(fresh).read_bytes() == stands


def test_a_reference_that_is_not_there_is_made(moving: Project) -> None:
    moving.edit("reference: baseline_distribution.json}", "reference: profiles/new.json}")
    went = moving.run()
    assert (went.code, went.verdict(WORD)) == (0, "pass"), went.document
    assert "there was none before" in went.reason(WORD)
    assert profile.read(moving.folder / "profiles" / "new.json") == now(moving)


def test_another_baseline_is_another_run(moving: Project) -> None:
    """Also while an unfinished run exists that had replaced the file itself."""
    with pytest.raises(Stopped):
        moving.run(say=_stop_at(f"deploy_model.{WORD}: pass"))
    written = reference(moving).read_bytes()
    other = json.loads(written)
    other["dataset"] = "another"
    reference(moving).write_text(json.dumps(other))
    went = moving.run()
    assert not went.lines[0].endswith("resumed")
    assert went.code == 0


def test_a_run_that_replaced_its_own_reference_is_resumed(moving: Project) -> None:
    with pytest.raises(Stopped):
        moving.run(say=_stop_at(f"deploy_model.{WORD}: pass"))
    went = moving.run()
    assert went.lines[0].endswith("resumed")
    assert (went.code, went.production[1]) == (0, 1)
    assert profile.read(reference(moving)) == now(moving)


def test_it_stands_after_a_promotion_and_a_check(fresh: Project) -> None:
    text = fresh.file.read_text()
    fresh.file.write_text(text.replace("      - promote:", TASK + "      - promote:"))
    errors = fresh.run().errors
    assert "update_baseline comes before any promotion" in errors
    assert "put it after `- promote: …`" in errors
    place = text.splitlines().index("      - promote:") + 1
    assert f"pipeline.yaml:{place}:" in errors
    fresh.file.write_text(text + TASK.replace("training_data", "validation_data"))
    assert "nothing checks validation_data before it becomes the reference" in fresh.run().errors


def test_the_plan_says_what_will_be_written(moving: Project) -> None:
    told = CliRunner().invoke(root, ["plan", str(moving.file)]).output
    assert "baseline_distribution.json becomes a profile of training_data" in told
    assert "validate_data.check_schema, validate_data.check_distribution" in told

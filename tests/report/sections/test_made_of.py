"""The lineage and the model card of a run that registered a version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.report.documents import manifest

import seatrial
from seatrial import workspace
from seatrial.ledger import runs
from seatrial.outcome import Measure, Outcome, Verdict
from seatrial.registry.project import open_project
from seatrial.registry.registry import Move
from seatrial.report.section import Cell, Code, Facts, Folded, Link, Section, Table
from seatrial.report.sections import card, lineage, sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seatrial.outcome import Wait
    from seatrial.registry.project import Project
    from seatrial.report.sections import Sources

    Says = Callable[[Callable[[], Outcome | Wait]], None]


@pytest.fixture
def project(file: Path) -> Iterator[Project]:
    opened = open_project(workspace.of_file(file))
    yield opened
    opened.ledger.close()


def _registering(project: Project, file: Path, says: Says, made: dict[str, Any]) -> Sources:
    """What the sections of a run are made from whose second check registered this."""
    registry = project.registry
    version = registry.register("told", made, label="", run="R", by="run R")
    accuracy = Measure(name="accuracy", value=0.87, low=0.86, high=0.88, n=2500)
    sliced = Measure(name="accuracy on origin = JFK", value=0.8)
    facts = {
        "version": version.version,
        "held_out": {"dataset": "validation_data", "fingerprint": "sha256:504d", "version": 1},
    }
    says(
        lambda: Outcome(
            verdict=Verdict.PASS,
            reason="registered",
            measures=(accuracy, sliced),
            facts=facts,
            blobs={"manifest": version.digest},
        )
    )
    seatrial.run(file)
    return sources(project, runs.latest(project.ledger)[0])


def _deliver(project: Project, version: int) -> None:
    project.registry.move(
        Move(model="told", channel="production", version=version, expect=0, event="promote",
             by="ada", reason="first")
    )  # fmt: skip


def _facts(section: Section | None) -> dict[str, Cell]:
    assert section is not None
    return {
        name: cell for part in section.parts if isinstance(part, Facts) for name, cell in part.of
    }


def _rows(section: Section | None, head: str) -> list[tuple[Cell, ...]]:
    """Of the table that begins with that column."""
    assert section is not None
    tables = [each for each in section.parts if isinstance(each, Table)]
    return [row for table in tables if table.heads[0] == head for row in table.rows]


def test_the_lineage_names_data_code_seeds_and_what_was_before(
    file: Path, project: Project, second_says: Says
) -> None:
    _registering(project, file, second_says, manifest())
    _deliver(project, 1)
    made_of = _registering(project, file, second_says, manifest(model="another"))
    told = lineage.section(made_of)
    facts = _facts(told)
    before = runs.latest(project.ledger)[1]
    assert facts["run before"] == Link(before.id, f"/runs/{before.id}")
    assert facts["version"] == "told version 2"
    assert facts["code revision"] == Code("0a1b")
    assert facts["code"] == "the code has uncommitted changes: fit.py"
    assert facts["seeds of the training"] == "7, 8"
    assert str(facts["compared with"]).startswith("told version 1, registered 20")
    assert "trained on training_data (sha256:fa7d)" in str(facts["compared with"])
    data = {row[0]: row[1:] for row in _rows(told, "data")}
    assert data["training_data"] == ("training", "7500", Code("sha256:fa7d"))
    assert data["validation_data"] == ("check_schema-2", "", Code("sha256:504d"))
    assert data["a"][0] == "check_schema"


def test_a_first_run_has_nothing_before_it(file: Path, project: Project) -> None:
    seatrial.run(file)
    made_of = sources(project, runs.latest(project.ledger)[0])
    facts = _facts(lineage.section(made_of))
    assert facts["compared with"] == "nothing was in production"
    assert facts["version"] == "none was registered"
    assert "run before" not in facts
    assert card.section(made_of) is None


def test_the_card_says_what_it_is_how_it_was_judged_and_what_nobody_tested(
    file: Path, project: Project, second_says: Says
) -> None:
    told = card.section(_registering(project, file, second_says, manifest()))
    facts = _facts(told)
    assert facts["made by"] == "gradient_boosted"
    assert facts["answers"] == "late: one of 0, 1"
    assert facts["trained on"] == "training_data, 7500 rows"
    assert str(facts["served form"]).startswith("proven equal to the trained model on 7500 rows")
    assert [row[0] for row in _rows(told, "metric")] == ["accuracy"]
    untested = [str(row[0]) for row in _rows(told, "what was not tested")]
    assert any("no shadow_tests" in each for each in untested)
    assert told is not None
    folded = [each.summary for each in told.parts if isinstance(each, Folded)]
    assert folded[:2] == ["2 features", "Hyperparameters"]


def test_what_an_earlier_release_did_not_record_is_left_out(
    file: Path, project: Project, second_says: Says
) -> None:
    earlier = {"format": "seatrial.version/1", "training": {"dataset": "a"}}
    made_of = _registering(project, file, second_says, earlier)
    assert _facts(card.section(made_of))["made by"] == "unknown"
    assert _facts(lineage.section(made_of))["code"] == "not in a git repository"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"entrypoint": "fit:train", "code": "sha256:1"}, "entrypoint fit:train"),
        ({"artifact": "model.onnx", "digest": "sha256:1"}, "artifact model.onnx"),
    ],
)
def test_a_model_of_ones_own(
    source: dict[str, str], said: str, file: Path, project: Project, second_says: Says
) -> None:
    training = {**manifest()["training"], "source": source, "problem": "numbers"}
    trusted = manifest(training=json.loads(json.dumps(training)), trust="pickle", parity={})
    facts = _facts(card.section(_registering(project, file, second_says, trusted)))
    assert facts["made by"] == said
    assert facts["answers"] == "late: a number"
    assert facts["served form"] == "a pickle, which runs code when it is opened"

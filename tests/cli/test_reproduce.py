"""``seatrial reproduce``: trained again, and what it comes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import workspace
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Program, Project

    from seatrial.ledger.blobs import Blobs

pytestmark = pytest.mark.slow  # each is quick, and there are many

MODEL = "ml_model_training_pipeline"
KEYS = {
    "model", "version", "digest", "verdict", "reason", "trained_here", "dataset", "seconds",
    "same_bytes", "answers", "quality", "changed", "unknown", "notes",
}  # fmt: skip


def altered(project: Project, change: Callable[[Any, Blobs], None]) -> str:
    """Version 1 once more under a number of its own, its manifest altered."""
    opened = open_project(workspace.at(project.folder))
    try:
        version = opened.registry.version(MODEL, 1)
        manifest = opened.registry.manifest(version)
        change(manifest, opened.registry.blobs)
        run = str(version.run)
        made = opened.registry.register(MODEL, manifest, label="altered", run=run, by="a test")
        return str(made.version)
    finally:
        opened.ledger.close()


def kept(project: Project) -> object:
    """Everything that a question must leave alone."""
    blobs = sorted(
        file.name for file in (project.folder / ".seatrial" / "blobs").rglob("*") if file.is_file()
    )
    return project.snapshot(), blobs, project.query("SELECT * FROM event")


def test_a_version_is_what_its_training_gives_again(delivered: Project, seatrial: Program) -> None:
    before = kept(delivered)
    said = seatrial("reproduce", MODEL, "production", "--json")
    assert said.code == 0
    assert set(said.json) == KEYS
    assert said.json["verdict"] == "identical"
    assert said.json["same_bytes"] == {"model.onnx": True, "native": True}
    assert [(a["rows"], a["n"], a["exact"]) for a in said.json["answers"]] == [
        ("golden rows", 256, True),
        ("training rows", 1000, True),
    ]
    assert said.json["changed"] == []
    assert kept(delivered) == before


def test_what_changed_without_effect_is_told(delivered: Project, seatrial: Program) -> None:
    def older(manifest: Any, blobs: Blobs) -> None:
        del blobs
        manifest["training"].pop("code", None)
        manifest["environment"]["dependencies"]["lightgbm"] = "4.0.0"

    number = altered(delivered, older)
    delivered.replace("num_leaves: 7", "num_leaves: 9", "config/hyperparameters.yaml")
    (delivered.folder / "baseline_distribution.json").unlink()
    (delivered.folder / "data" / "validation_data.csv").unlink()
    said = seatrial("reproduce", MODEL, number)
    assert said.code == 0
    lines = said.out.splitlines()
    changed = lines.index("changed since then:")
    assert lines[changed + 2].split()[:2] == ["lightgbm", "4.0.0"]
    unknown, note, verdict = lines[-3:]
    assert unknown == "not known: the code's revision (not recorded then)"
    assert note.startswith("note: config/hyperparameters.yaml has changed (num_leaves 7 then, 9")
    assert verdict == (
        f"{MODEL} version {number}: identical: the same bytes, and the same answers to"
        " 256 golden rows and 1000 training rows"
    )
    assert f"training {MODEL} version {number} again on 1000 rows of training_data" in said.err


def test_other_bytes_with_the_same_answers_are_equal(delivered: Project, seatrial: Program) -> None:
    def other_form(manifest: Any, blobs: Blobs) -> None:
        native = blobs.get(manifest["files"]["native"])
        manifest["files"]["native"] = blobs.put(native + b" ")

    said = seatrial("reproduce", MODEL, altered(delivered, other_form), "--json")
    assert said.code == 0
    assert said.json["verdict"] == "equal within parity"
    assert said.json["reason"] == "other bytes (native), the same answers"
    assert said.json["same_bytes"] == {"model.onnx": True, "native": False}


def test_another_model_is_different_and_judged_beside_the_first(
    third: Project, seatrial: Program
) -> None:
    def with_seeds(manifest: Any, blobs: Blobs) -> None:
        manifest["training"]["hyperparameters"]["n_estimators"] = 2
        for number, digest in third.query("SELECT version, digest FROM version"):
            other = json.loads(blobs.get(digest))["files"]["model.onnx"]
            manifest["files"][f"seed-{number}.onnx"] = other

    number = altered(third, with_seeds)
    said = seatrial("reproduce", MODEL, number, "--json")
    assert said.code == 1
    assert said.json["verdict"] == "different"
    assert not said.json["same_bytes"]["model.onnx"]
    rows = said.json["answers"][1]
    assert rows["outside"] > 500
    assert f"row {rows['row']} of the training rows" in said.json["reason"]
    quality = said.json["quality"]
    assert (quality["dataset"], quality["metric"]) == ("validation_data", "accuracy")
    assert quality["then"] > quality["again"]
    degradation = quality["degradation"]
    assert degradation["low"] < degradation["value"] < degradation["high"]
    assert degradation["value"] == pytest.approx(quality["then"] - quality["again"])
    assert quality["noise_floor"]["name"] == "noise_floor.accuracy"

    (third.folder / "data" / "validation_data.csv").unlink()
    said = seatrial("reproduce", MODEL, number)
    assert said.code == 1
    assert "the training itself does not repeat" in said.out
    assert "note: it is not known which is better: " in said.out


def test_other_rows_are_the_answer_and_nothing_is_trained(
    delivered: Project, seatrial: Program
) -> None:
    file = "data/training_data.csv"
    delivered.write(file, "".join(delivered.lines(file)[:-1]))
    said = seatrial("reproduce", MODEL, "1", "--json")
    assert said.code == 1
    assert said.json["seconds"] is None
    assert said.json["changed"][0]["what"] == "dataset training_data"
    assert said.json["reason"] == (
        "training_data has other rows than version 1 was trained on (1000 rows then, 999 now),"
        " so training again would prove nothing"
    )
    assert "again on" not in said.err


def test_rows_that_are_gone_are_in_the_way(delivered: Project, seatrial: Program) -> None:
    (delivered.folder / "data" / "training_data.csv").unlink()
    said = seatrial("reproduce", MODEL, "1")
    assert said.code == 5
    assert not said.out
    (mistake,) = said.mistakes[:1]
    assert mistake == [f"the rows that {MODEL} version 1 was trained on cannot be read:"]


def test_a_damaged_blob_is_in_the_way(delivered: Project, seatrial: Program) -> None:
    (digest,) = delivered.query("SELECT digest FROM version")
    blobs = delivered.folder / ".seatrial" / "blobs"
    manifest = blobs / digest[0].removeprefix("sha256:")[:2] / digest[0].removeprefix("sha256:")
    native = json.loads(manifest.read_bytes())["files"]["native"].removeprefix("sha256:")
    (blobs / native[:2] / native).write_bytes(b"something else")
    said = seatrial("reproduce", MODEL, "1")
    assert said.code == 5
    assert f"a blob of {MODEL} version 1 no longer matches its digest" in said.err


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("n_estimaters", 3, "n_estimaters"),
        ("n_estimators", -1, "n_estimators"),
    ],
)
def test_a_training_that_is_refused_now_is_in_the_way(
    key: str, value: object, told: str, delivered: Project, seatrial: Program
) -> None:
    def refused(manifest: Any, blobs: Blobs) -> None:
        del blobs
        manifest["training"]["hyperparameters"] = {key: value}
        manifest["environment"]["dependencies"]["numpy"] = "2.0.0"

    number = altered(delivered, refused)
    said = seatrial("reproduce", MODEL, number)
    assert said.code == 5
    assert f"since {MODEL} version {number} was trained, numpy was 2.0.0 and is" in said.err
    assert f"{MODEL} version {number} cannot be trained again:" in said.err
    assert told in said.err


def test_a_training_process_that_dies_is_in_the_way(delivered: Project, seatrial: Program) -> None:
    def deadly(manifest: Any, blobs: Blobs) -> None:
        del blobs
        manifest["environment"]["variables"]["PYTHONHASHSEED"] = "no number"

    number = altered(delivered, deadly)
    said = seatrial("reproduce", MODEL, number)
    assert said.code == 5
    assert f"{MODEL} version {number} could not be trained again: its process ended" in said.err


def test_steps_that_no_longer_pass_are_a_difference(delivered: Project, seatrial: Program) -> None:
    file = "data/training_data.csv"
    head, *lines = delivered.lines(file)
    leaking = [f"{line.split(',')[3].strip()},{line.partition(',')[2]}" for line in lines]
    delivered.write(file, "".join([head, *leaking]))
    delivered.write("pipeline.yaml", delivered.pipeline.read_text() + "leakage: {target: warn}\n")
    assert seatrial("profile", file, "-o", "baseline_distribution.json").code == 0
    seatrial("run", "pipeline.yaml")
    assert len(delivered.query("SELECT * FROM version")) == 2
    delivered.tamper("UPDATE run SET request = replace(request, 'target: warn', 'target: fail')")
    said = seatrial("reproduce", MODEL, "2", "--json")
    assert said.code == 1
    assert said.json["reason"].startswith("trained again it makes no version: 'feature_1' alone")
    assert said.json["same_bytes"] == {}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE run SET request = replace(request, 'train:', 'trane:')",
        "UPDATE run SET request = replace(request, 'model_type:', 'modl_type:')",
    ],
)
def test_a_pipeline_that_is_no_longer_understood_is_in_the_way(
    statement: str, delivered: Project, seatrial: Program
) -> None:
    delivered.tamper(statement)
    said = seatrial("reproduce", MODEL, "1")
    assert said.code == 5
    assert "the pipeline file of that run is no longer understood:" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([MODEL, "7"], f"{MODEL} has no version 7"),
        (["ml_model_training_pipelin", "1"], f"nearest: {MODEL}"),
        ([MODEL, "producton"], "nearest: production"),
        ([MODEL], "Missing argument 'VERSION'"),
        ([MODEL, ""], "is empty"),
    ],
)
def test_a_wrong_command_line_is_told(
    words: list[str], told: str, delivered: Project, seatrial: Program
) -> None:
    del delivered
    said = seatrial("reproduce", *words)
    assert said.code == 2
    assert told in said.err

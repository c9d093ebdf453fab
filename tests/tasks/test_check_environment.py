"""Whether the machines that will serve answer as the one that trained, from the file on."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from seatrial.cli import root
from seatrial.environment.bundles import bundle
from seatrial.environment.capture import capture, fingerprint
from seatrial.environment.proof import proving
from seatrial.errors import FileError
from seatrial.ledger import runs
from seatrial.pipeline.read import read
from seatrial.plan import make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tasks.conftest import Project

pytestmark = pytest.mark.slow  # each is quick, and there are many

MODEL = "ml_model_training_pipeline"
CHECK = "train_model.check_environment"
REGISTER = "          metrics: training_metrics.json\n"
FIRST = "  - name: validate_data\n    tasks:\n"


def _after_register(project: Project, parameters: str = "{}") -> None:
    project.edit(REGISTER, f"{REGISTER}      - check_environment: {parameters}\n")


def _first(project: Project, parameters: str) -> None:
    project.edit(FIRST, f"{FIRST}      - check_environment: {parameters}\n")


def _device(project: Project, name: str = "till.json", **changes: Any) -> dict[str, Any]:
    """The capture of a machine that differs from this one."""
    told: dict[str, Any] = {**capture("2026-11-01T00:00:00+00:00"), **changes}
    told["hash"] = fingerprint(told)
    (project.folder / name).write_text(json.dumps(told))
    return told


def _proof(project: Project, stores: Callable[[Project], Any], folder: Path) -> dict[str, Any]:
    """What a device prints that has proven version 1."""
    registry = stores(project).registry
    version = registry.version(MODEL, 1)
    read_blob = partial(registry.blobs.get, of=str(version))
    bundle.write(
        folder / "bundle",
        manifest_bytes=read_blob(version.digest),
        digest=version.digest,
        read=read_blob,
        model=MODEL,
        version=1,
        created=version.created,
    )
    told: dict[str, Any] = json.loads(json.dumps(proving.prove(folder / "bundle").to_json()))
    return told


def test_on_one_machine_it_passes_by_the_golden_rows(fresh: Project) -> None:
    _after_register(fresh)
    went = fresh.run()
    assert (went.code, went.verdict("check_environment")) == (0, "pass"), went.document
    reason = went.reason("check_environment")
    assert f"this machine fits the training of {MODEL} version 1" in reason
    assert "golden rows are answered equally" in reason
    assert went.task("check_environment")["findings"] == []
    measures = went.measures("check_environment")
    assert (measures["environment.errors"]["value"], measures["environment.errors"]["limit"]) == (
        0,
        0,
    )
    farthest = measures["golden.largest_difference"]
    assert farthest["value"] <= farthest["limit"]
    assert farthest["n"] >= 64
    assert went.production == (None, 1)


def test_without_golden_rows_the_differences_decide(fresh: Project) -> None:
    _after_register(fresh, "{golden_rows: false}")
    went = fresh.run()
    assert went.verdict("check_environment") == "pass"
    assert [*went.measures("check_environment")] == ["environment.errors"]


@pytest.mark.slow
def test_a_machine_that_changed_since_the_training_that_is_used_again(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is where the model was made, not where the run is now."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    _after_register(fresh)
    assert fresh.run().code == 0
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    went = fresh.run()
    # proven to be harmless for this model, unless somebody says that it is not
    assert (went.code, went.verdict("check_environment")) == (0, "pass")
    fresh.edit("stages:", "environment: {policy: {variables: warn}}\nstages:")
    (finding,) = fresh.run().task("check_environment")["findings"]
    assert finding["what"].startswith("warn variables.OMP_NUM_THREADS: not set -> 7 (")
    assert (finding["where"], finding["hint"]) == ("this machine", "unset OMP_NUM_THREADS")
    went = fresh.run(f"{CHECK}.policy.variables=error")
    assert (went.code, went.verdict("check_environment")) == (1, "fail")
    assert went.production == (1, 1)
    assert "does not fit the training of" in went.reason("check_environment")
    assert "error variables.OMP_NUM_THREADS" in went.reason("check_environment")


def test_golden_rows_that_could_not_be_asked_are_no_verdict(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    _after_register(fresh)
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        went = fresh.run()
    assert (went.code, went.verdict("check_environment")) == (5, None)
    assert "could not be proven" in went.errors
    again = fresh.run()
    assert (again.code, again.run) == (0, went.run)


def test_before_training_pinned_packages_are_demanded(fresh: Project) -> None:
    (fresh.folder / "here.lock").write_text("numpy==1.0\nno-such-package==2.0\n")
    _first(fresh, "{expected: here.lock}")
    went = fresh.run()
    assert (went.code, went.production) == (1, (None, None))
    assert went.task("train")["state"] == "not_reached"
    told = [each["what"] for each in went.task("check_environment")["findings"]]
    assert any(what.startswith("error dependencies.numpy: 1.0 -> ") for what in told)
    assert any(what.startswith("error dependencies.no-such-package: 2.0 -> ") for what in told)
    assert all(each["hint"] for each in went.task("check_environment")["findings"][:2])


def test_before_training_a_capture_of_this_machine_fits(fresh: Project) -> None:
    _device(fresh, "build.json")
    _first(fresh, "{expected: build.json, policy: {package.extra: ignore}}")
    went = fresh.run()
    assert (went.code, went.verdict("check_environment")) == (0, "pass"), went.document
    assert "this machine fits build.json" in went.reason("check_environment")


def test_a_device_of_another_kind_needs_a_proof_and_is_settled_by_it(
    delivered: Project, stores: Callable[[Project], Any], tmp_path: Path
) -> None:
    _after_register(delivered, "{serving: [till.json]}")
    device = _device(delivered, machine="aarch64")
    went = delivered.run()
    assert (went.code, went.verdict("check_environment")) == (1, "fail")
    (finding,) = went.task("check_environment")["findings"]
    assert finding["what"].startswith("error machine: ")
    assert finding["where"] == "till.json"
    assert f"seatrial bundle {MODEL}@1 -o DIR" in finding["hint"]
    # the device answers the golden rows, and says so
    proof = _proof(delivered, stores, tmp_path) | {"environment": device}
    (delivered.folder / "till.json").write_text(json.dumps(proof))
    went = delivered.run()
    assert (went.code, went.verdict("check_environment")) == (0, "pass"), went.document
    (finding,) = went.task("check_environment")["findings"]
    assert finding["what"].startswith("warn machine: ")
    assert "golden.largest_difference" in went.measures("check_environment")


@pytest.mark.parametrize("how", ["another version", "other answers", "cannot open", "no answer"])
def test_a_proof_counts_only_when_it_is_one_of_this_version(
    delivered: Project, stores: Callable[[Project], Any], tmp_path: Path, how: str
) -> None:
    _after_register(delivered, "{serving: till.json}")
    proof = _proof(delivered, stores, tmp_path) | {"environment": _device(delivered)}
    form = {**proof["proof"]["model.onnx"], "ok": False, "said": "3 labels flipped"}
    changes: dict[str, dict[str, Any]] = {
        "another version": {"digest": "sha256:" + "7" * 64},
        "other answers": {"proof": {"model.onnx": form}},
        "cannot open": {"proof": None, "trouble": "no onnxruntime", "found_out": True},
        "no answer": {"proof": None, "trouble": "time was up"},
    }
    (delivered.folder / "till.json").write_text(json.dumps(proof | changes[how]))
    went = delivered.run()
    what = [each["what"] for each in went.task("check_environment")["findings"]]
    if how == "other answers":
        assert (went.code, went.measures("check_environment")["environment.errors"]["value"]) == (
            1,
            1,
        )
        assert "3 labels flipped" in went.reason("check_environment")
        assert went.measures("check_environment")["golden.largest_difference"]["verdict"] == "fail"
    elif how == "cannot open":
        assert went.code == 1
        assert "cannot be answered: no onnxruntime" in went.reason("check_environment")
    else:
        assert went.code == 0  # its capture is like this machine's, so nothing is to be settled
        says = {
            "another version": "not of this run's version",
            "no answer": "came to nothing: time",
        }
        assert says[how] in what[0]
        assert "golden.largest_difference" not in went.measures("check_environment")


CUT = '{"format": "seatrial.environment/1", "python_version": "3.1'
BAD = {
    "missing": (None, "there is no such file"),
    "cut": (CUT, "the file is cut off"),
    "a list": ("[1, 2]", "no capture"),
    "of no kind": ('{"a": 1}', "no capture"),
    "later": ('{"format": "seatrial.environment/2"}', "seatrial.environment/2"),
    "a proof, cut": ('{"format": "seatrial.proof/1", "digest": "x"}', "this proof cannot be read"),
    "a later proof": ('{"format": "seatrial.proof/9"}', "of a later release"),
}


@pytest.mark.parametrize("key", ["expected", "serving"])
@pytest.mark.parametrize("case", BAD)
def test_a_file_that_is_no_capture_is_told_before_anything_runs(
    fresh: Project, case: str, key: str
) -> None:
    content, what = BAD[case]
    if content is not None:
        (fresh.folder / "till.json").write_text(content)
    _after_register(fresh, f"{{{key}: till.json}}")
    with pytest.raises(FileError) as refused:
        make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
    (mistake,) = refused.value.mistakes
    assert mistake.where.startswith("pipeline.yaml:22:")
    assert mistake.fix
    assert mistake.what.startswith("till.json: ")
    assert what in mistake.what or ("proof" in case and key == "expected")  # not expected there


def test_every_mistake_has_its_place(fresh: Project) -> None:
    _device(fresh)
    edited = json.loads((fresh.folder / "till.json").read_text()) | {"machine": "riscv64"}
    (fresh.folder / "edited.json").write_text(json.dumps(edited))
    (fresh.folder / "open.lock").write_text("numpy\n")
    _after_register(
        fresh,
        "\n          expected: open.lock\n          serving:\n            - till.json\n"
        "            - edited.json\n          policy: {kernal: warn}",
    )
    with pytest.raises(FileError) as refused:
        make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
    by_place = {each.where: each for each in refused.value.mistakes}
    assert [*by_place] == [f"pipeline.yaml:{at}" for at in ("27:20", "23:11", "26:15")]
    assert by_place["pipeline.yaml:27:20"].nearest == "kernel"
    assert "edited" in str(by_place["pipeline.yaml:26:15"])


def test_a_wrong_level_is_told_at_its_line_with_the_nearest(fresh: Project) -> None:
    _after_register(fresh, "\n          policy:\n            libc: erro\n            kernal: warn")
    with pytest.raises(FileError) as refused:
        make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
    level, rule = refused.value.mistakes
    assert (level.where, level.nearest) == ("pipeline.yaml:24:13", "error")
    assert "error, warn, info, ignore" in level.fix
    assert (rule.where, rule.nearest) == ("pipeline.yaml:25:13", "kernel")


def test_pinned_packages_are_no_machine_that_serves(fresh: Project) -> None:
    (fresh.folder / "my.lock").write_text("numpy==2.4.6\n")
    _after_register(fresh, "{serving: my.lock}")
    with pytest.raises(FileError, match="pinned packages say nothing of the machine") as refused:
        make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
    assert "under `expected`" in refused.value.mistakes[0].fix


def test_before_training_a_file_is_needed(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _first(fresh, "{}")
    monkeypatch.chdir(fresh.folder)
    said = CliRunner().invoke(root, ["check", "pipeline.yaml"], standalone_mode=False)
    assert isinstance(said.exception, FileError)
    (mistake,) = said.exception.mistakes
    assert "nothing is expected" in mistake.what
    assert "seatrial env capture -o environment.json" in mistake.fix


def test_the_plan_says_who_is_held_against_what(fresh: Project) -> None:
    _device(fresh)
    fresh.edit("stages:", "environment: {policy: {libc: warn}}\nstages:")
    says = {
        "{}": "this machine answers the candidate's golden rows equally",
        "{golden_rows: false, policy: {kernel: warn}}": "libc: warn, kernel: warn",
        "{serving: till.json}": "till.json: no difference of level error from the environment",
        "{expected: till.json}": "this machine: no difference of level error from till.json",
    }
    text = fresh.file.read_text()
    for parameters, line in says.items():
        fresh.file.write_text(text)
        _after_register(fresh, parameters)
        planned = make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
        step = planned.step(CHECK)
        assert line in "\n".join(step.task.demands(step.scope))


def test_the_captures_are_kept_as_evidence(
    fresh: Project, stores: Callable[[Project], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2-hunter2")
    _after_register(fresh)
    went = fresh.run()
    opened = stores(fresh)
    step = next(each for each in runs.steps(opened.ledger, went.run) if each.address == CHECK)
    assert step.outcome is not None
    kept = json.loads(opened.registry.blobs.get(step.outcome.blobs["environments"]))
    (machine,) = kept["machines"]
    assert machine["environment"]["python_version"] == kept["expected"]["python_version"]
    assert machine["proof"]["model.onnx"]["ok"] is True
    assert "hunter2" not in json.dumps(kept)


def test_between_training_and_registering_everything_counts(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No version says yet what it needs, and nothing can be proven."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    fresh.edit("      - register:\n", "      - check_environment\n      - register:\n")
    went = fresh.run()
    assert (went.code, went.verdict("check_environment")) == (0, "pass"), went.document
    assert went.reason("check_environment").startswith("this machine fits the training")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    (finding,) = fresh.run().task("check_environment")["findings"]
    assert finding["what"].startswith("warn variables.OMP_NUM_THREADS")


OWN = """
import numpy as np

class Own:
    def predict(self, features):
        return (np.nan_to_num(features["feature_1"]) > 0).astype(int)

    def predict_proba(self, features):
        greater = self.predict(features).astype(float)
        return np.column_stack([1 - greater, greater])

def build(features, target, seed):
    return Own()
"""


@pytest.mark.slow
def test_a_pickled_candidate_that_was_trusted_is_proven_and_its_packages_count_exactly(
    fresh: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (fresh.folder / "fits.py").write_text(OWN)
    fresh.edit("model_type: gradient_boosted", "entrypoint: fits:build\n          trust: pickle")
    fresh.edit("          hyperparameters: config/hyperparameters.yaml\n", "")
    _after_register(fresh)
    went = fresh.run()
    assert went.verdict("check_environment") == "pass", went.document
    assert went.task("check_environment")["findings"] == []
    assert "golden rows are answered equally" in went.reason("check_environment")
    device = _device(fresh, "old.json")
    device["dependencies"]["numpy"] = "2.4.5"
    _device(fresh, "old.json", dependencies=device["dependencies"])
    went = fresh.run(f"{CHECK}.serving=old.json")
    assert went.verdict("check_environment") == "fail"
    assert "error dependencies.numpy: " in went.reason("check_environment")

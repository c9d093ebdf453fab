"""Where a model comes from: one of three, told right before anything runs; files; seeds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from onnx import TensorProto, helper

from seatrial import plan
from seatrial.errors import FileError
from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.tasks.conftest import Project, Went

COLUMNS = ["feature_1", "feature_2", "feature_3"]


def onnx_file(*, scale: float = 1.0, name: str = "features") -> bytes:
    """Two classes by the first of three columns in one matrix; missing counts as 0."""
    nodes = [
        helper.make_node("IsNaN", [name], ["no"]),
        helper.make_node("Where", ["no", "zero", name], ["filled"]),
        helper.make_node("MatMul", ["filled", "weights"], ["score"]),
        helper.make_node("Softmax", ["score"], ["probabilities"], axis=1),
    ]
    weights = [0.0, scale, 0.0, 0.0, 0.0, 0.0]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
        [
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("weights", TensorProto.FLOAT, [3, 2], weights),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def written(train: Mapping[str, object]) -> str:
    use = json.dumps({"data": "training_data", **train})
    return (
        "name: own\nstages:\n  - name: make\n    tasks:\n"
        f"      - train: {use}\n      - register: {{}}\n"
    )


def run(project: Project, train: Mapping[str, object]) -> Went:
    project.file.write_text(written(train))
    return project.run()


def planned(project: Project, train: Mapping[str, object]) -> list[str]:
    made = plan.make(read(written(train), "pipeline.yaml"), project.folder)
    step = made.step("make.train")
    return list(step.task.demands(step.scope))


ENTRY = {"entrypoint": "fits:build"}


@pytest.mark.parametrize(
    ("train", "what", "near"),
    [
        ({}, "train needs one of model_type, entrypoint and artifact", ""),
        (
            {"model_type": "linear", "artifact": "model.onnx"},
            "is given model_type and artifact",
            "",
        ),
        ({"model_type": "liner"}, "unknown model_type 'liner'", "linear"),
        ({"artifact": "modle.onnx"}, "there is no file modle.onnx", "model.onnx"),
        (
            {"artifact": "model.onnx", "hyperparameters": {"a": 1}},
            "`hyperparameters` means nothing beside `artifact`",
            "",
        ),
        ({"artifact": "model.onnx", "seeds": 3}, "`seeds` means nothing beside `artifact`", ""),
        ({"model_type": "linear", "trust": "pickle"}, "`trust` means nothing", ""),
        ({"model_type": "linear", "timeout_s": 5}, "`timeout_s` means nothing", ""),
        ({"entrypoint": "fits.build"}, "names no function", "fits:build"),
        ({"entrypoint": "fits:bild"}, "there is no function 'bild' in fits.py", "build"),
        ({**ENTRY, "hyperparameters": "config/hyper.yaml"}, "there is no file config/", "hyp"),
        ({**ENTRY, "seeds": 0}, "`seeds` of train cannot be 0", ""),
        ({**ENTRY, "trust": "pikle"}, "`trust` of train cannot be 'pikle'", "pickle"),
        ({**ENTRY, "memory_mb": 0}, "`memory_mb` of train cannot be 0", ""),
        ({**ENTRY, "timeout_s": 0}, "`timeout_s` of train cannot be 0", ""),
    ],
)
def test_every_mistake_is_told_before_rows_are_read(
    fresh: Project, train: Mapping[str, object], what: str, near: str
) -> None:
    (fresh.folder / "fits.py").write_text("def build(seed): ...\n")
    (fresh.folder / "model.onnx").write_bytes(onnx_file())
    (fresh.folder / "data" / "training_data.csv").write_text("not read\n")
    with pytest.raises(FileError) as raised:
        planned(fresh, train)
    mistake = raised.value.mistakes[0]
    assert what in mistake.what
    assert mistake.where
    assert mistake.nearest.startswith(near)


def test_the_plan_says_whose_code_runs_within_which_limits_and_how_often(fresh: Project) -> None:
    (fresh.folder / "fits.py").write_text("def build(seed): ...\n")
    own = planned(fresh, {**ENTRY, "seeds": 3, "memory_mb": 2000})
    assert "runs fits:build on training_data with seed 20130101, in a process of its own" in own[0]
    assert "at most 3600 s, 2000 MB" in own[0]
    assert own[1].startswith("nothing is pickled")
    assert own[2].startswith("trains 3 times, with the seeds 20130101 to 20130103")
    trusted = planned(fresh, {**ENTRY, "trust": "pickle"})
    assert "no limit of memory" in trusted[0]
    assert "kept pickled" in trusted[1]
    (fresh.folder / "model.onnx").write_bytes(onnx_file())
    finished = planned(fresh, {"artifact": "model.onnx", "timeout_s": 60})
    assert finished[0].startswith("takes model.onnx as it is")
    assert finished[1].endswith("in a process of its own: at most 60 s, no limit of memory")


def test_a_finished_file_becomes_a_version_and_a_changed_one_another(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    file = fresh.folder / "model.onnx"
    file.write_bytes(onnx_file())
    went = run(fresh, {"artifact": "model.onnx"})
    assert (went.code, went.errors) == (0, "")
    assert "ONNX equals the file as it was given on 1500 rows" in went.reason("register")
    registry = stores(fresh).registry
    manifest = registry.manifest(registry.version("own", 1))
    source = manifest["training"]["source"]
    assert source["artifact"] == "model.onnx"
    assert source["digest"].startswith("sha256:")
    assert manifest["metrics"]["accuracy"] > 0.7
    assert {"model.onnx", "matrix.onnx", "golden.json"} <= set(manifest["files"])
    assert "re-used" in fresh.run().reason("train")
    file.write_bytes(onnx_file(scale=2.0))
    again = fresh.run()
    assert "re-used" not in again.reason("train")
    assert again.document["model"]["version"] == 2


def test_a_broken_file_is_told_with_its_name(fresh: Project) -> None:
    (fresh.folder / "model.onnx").write_bytes(b"<html>")
    went = run(fresh, {"artifact": "model.onnx"})
    assert went.code == 2
    assert "where: model.onnx" in went.errors
    assert went.document["model"] is None


BAGGED = {
    "model_type": "gradient_boosted",
    "hyperparameters": {"n_estimators": 5, "subsample": 0.5, "subsample_freq": 1},
}


def test_several_seeds_are_kept_beside_the_first_which_is_the_version(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    went = run(fresh, {**BAGGED, "seeds": 3})
    assert went.code == 0
    assert went.reason("train").endswith(", with 3 seeds")
    assert went.task("train")["findings"] == []
    registry = stores(fresh).registry
    manifest = registry.manifest(registry.version("own", 1))
    files = manifest["files"]
    others = [files["seed-20130102.onnx"], files["seed-20130103.onnx"]]
    assert len({files["model.onnx"], *others}) == 3
    assert manifest["training"]["seeds"] == [20130101, 20130102, 20130103]
    assert all(map(stores(fresh).registry.blobs.has, others))
    alone = run(fresh, BAGGED)
    one = registry.manifest(registry.version("own", alone.document["model"]["version"]))
    assert one["files"]["model.onnx"] == files["model.onnx"]
    assert not [name for name in one["files"] if name.startswith("seed-")]


def test_seeds_that_change_nothing_say_so(fresh: Project) -> None:
    train = {"model_type": "gradient_boosted", "hyperparameters": {"n_estimators": 5}, "seeds": 2}
    (told,) = run(fresh, train).task("train")["findings"]
    assert told["what"] == "the seed changes nothing: 2 seeds gave the same model"


def test_the_manifest_says_all_that_it_takes_to_train_again(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    run(fresh, BAGGED)
    registry = stores(fresh).registry
    training = registry.manifest(registry.version("own", 1))["training"]
    assert training["source"] == "gradient_boosted"
    assert training["dataset"] == "training_data"
    assert training["pipeline"] == read(written(BAGGED), "pipeline.yaml").digest
    assert training["hyperparameters"]["subsample"] == 0.5
    assert training["threads"] >= 1
    assert {"fingerprint", "rows", "seed", "seeds", "code", "features"} <= set(training)

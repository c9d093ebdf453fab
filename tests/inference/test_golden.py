"""The file of golden rows: made, read back, and what it finds in a model that was changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import quantised
from seatrial.errors import StoreError
from seatrial.inference import golden
from seatrial.inference.session import Model
from seatrial.inference.tolerance import Tolerance
from seatrial.models import Training, get

ROWS = 2000
ALONE = Tolerance(rows_at_once=1)


def table() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    delay = random.normal(size=ROWS).astype(np.float32)
    delay[::10] = np.nan
    words = np.array(["UA", "DL", "Ärø", ""], object)
    return {
        "delay": delay,
        "distance": random.uniform(100, 5000, ROWS).astype(np.float32),
        "carrier": random.choice(words, ROWS),
    }


@pytest.fixture(scope="module")
def model() -> Model:
    features = table()
    late = np.nan_to_num(features["delay"]) + features["distance"] / 5000 > 0.5
    target = np.where(late, "late", "on time").astype(object)
    parameters = {"num_leaves": 15, "n_estimators": 50}
    training = Training(features, target, "classes", ("late", "on time"), parameters, 1)
    fitted = get("gradient_boosted").fit(training)
    return Model.load(fitted.to_onnx(), fitted.signature)


@pytest.fixture(scope="module")
def rows(model: Model) -> bytes:
    return golden.make(model, table(), seed=1)


def exported() -> tuple[onnx.ModelProto, Any]:
    """The same trees again, to be changed, and the node that holds them."""
    features = table()
    late = np.nan_to_num(features["delay"]) + features["distance"] / 5000 > 0.5
    target = np.where(late, "late", "on time").astype(object)
    parameters = {"num_leaves": 15, "n_estimators": 50}
    training = Training(features, target, "classes", ("late", "on time"), parameters, 1)
    graph = onnx.load_from_string(get("gradient_boosted").fit(training).to_onnx())
    return graph, next(n for n in graph.graph.node if n.op_type.startswith("TreeEnsemble"))


def test_the_same_model_answers_its_golden_rows(model: Model, rows: bytes) -> None:
    assert rows == golden.make(model, table(), seed=1)
    assert rows != golden.make(model, table(), seed=2)
    for tolerance in (ALONE, Tolerance(), Tolerance(rows_at_once=7)):
        found = golden.verify(model, rows, tolerance)
        assert found.ok, found.said
        assert found.rows == golden.ROWS
    assert found.said.startswith("256 golden rows answered equally (largest difference ")


CHOICE = """
import hashlib, json, sys
from pathlib import Path
import test_golden
from seatrial.inference import golden
from seatrial.inference.calibration import calibrate
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
content, signature = Path(sys.argv[1]).read_bytes(), Signature.from_json(json.loads(sys.argv[2]))
rows = golden.make(Model.load(content, signature), test_golden.table(), seed=1)
found = calibrate(
    Model.load(content, signature), rows, lambda s: Model.load(content, signature, s)
)
print(hashlib.sha256(rows).hexdigest(), json.dumps(found.to_json()))
"""


@pytest.mark.slow
def test_every_process_chooses_and_calibrates_alike(model: Model, tmp_path: Path) -> None:
    graph = tmp_path / "model.onnx"
    graph.write_bytes(exported()[0].SerializeToString())
    folders = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    said = {
        subprocess.run(
            [sys.executable, "-c", CHOICE, str(graph), json.dumps(model.signature.to_json())],
            env={**os.environ, "PYTHONPATH": folders, "PYTHONHASHSEED": n, "OMP_NUM_THREADS": n},
            capture_output=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    }
    assert len(said) == 1


def test_what_they_are_is_told_for_the_manifest(rows: bytes) -> None:
    told = golden.about(rows)
    assert told["rows"] == golden.ROWS == sum(told["kinds"].values())
    assert "boundary" in told["kinds"]
    assert told["left_out"] == 0


def test_rows_that_were_given_are_kept_as_they_are(model: Model) -> None:
    some = {name: column[:20] for name, column in table().items()}
    kept = golden.read(golden.written(model, some), model.signature)
    assert kept.kinds == ("given",) * 20
    np.testing.assert_array_equal(kept.inputs["delay"], some["delay"])
    assert kept.inputs["carrier"].tolist() == some["carrier"].tolist()


def test_a_file_from_before_there_were_kinds_proves_too(model: Model, rows: bytes) -> None:
    document = json.loads(rows)
    del document["kinds"]
    assert golden.verify(model, json.dumps(document).encode()).ok


def test_rows_asked_alone_are_well_defined_where_neighbours_matter(tmp_path: Any) -> None:
    network = Model.load(quantised.dynamic(tmp_path), quantised.SIGNATURE)
    kept = golden.make(network, quantised.rows(), seed=1)
    assert golden.verify(network, kept, ALONE).largest_difference == 0
    together = golden.verify(network, kept, Tolerance(rows_at_once=0))
    assert not together.ok


def test_a_threshold_that_moved_in_one_tree_is_found(rows: bytes, model: Model) -> None:
    graph, trees = exported()
    holds = {each.name: each for each in trees.attribute}
    values, modes = holds["nodes_values"].floats, holds["nodes_modes"].strings
    features, ids = holds["nodes_featureids"].ints, holds["nodes_nodeids"].ints
    roots = [place for place, node in enumerate(ids) if node == 0 and modes[place] == b"BRANCH_LEQ"]
    assert len(roots) > 10
    for place in roots:
        before = values[place]
        same = [values[other] for other, mode in enumerate(modes)
                if mode == b"BRANCH_LEQ" and features[other] == features[place]]  # fmt: skip
        for direction in (-1, 1):
            values[place] = before + direction * 0.05 * (max(same) - min(same))
            moved = Model.load(graph.SerializeToString(), model.signature)
            found = golden.verify(moved, rows, ALONE)
            assert not found.ok
            assert found.worst[0].difference
        values[place] = before
    assert golden.verify(Model.load(graph.SerializeToString(), model.signature), rows, ALONE).ok


def test_one_bit_of_the_file_is_found(rows: bytes, model: Model) -> None:
    graph, trees = exported()
    weights = next(each for each in trees.attribute if each.name == "target_weights").floats
    place = int(np.abs(np.array(weights)).argmax())
    bits = np.array([weights[place]], np.float32).view(np.uint32)
    weights[place] = float((bits ^ np.uint32(1 << 23)).view(np.float32)[0])  # twice, or half
    assert not golden.verify(Model.load(graph.SerializeToString(), model.signature), rows).ok


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": {}}, "no column 'delay'"),
        ({"inputs": 3}, "TypeError"),
        ({"label": [["late"]] * 256}, "the label ['late']"),
        ({"label": 3}, "cannot be read"),
        ({"inputs": {"delay": ["x"], "distance": [1], "carrier": ["UA"]}}, "could not convert"),
        ({"inputs": {"delay": [1e400], "distance": [1], "carrier": ["UA"]}}, "rows of the column"),
        ({"inputs": {"delay": [10**400], "distance": [1], "carrier": ["UA"]}}, "OverflowError"),
        ({"label": ["late"]}, "256 rows of probabilities, and 1 labels"),
        ({"label": ["lat"] * 256}, "the label 'lat'"),
        ({"label": [0] * 256}, "the label 0"),
        ({"probabilities": None}, "no probabilities"),
        ({"probabilities": [[0.2, 0.3, 0.5]] * 256}, "3 probabilities a row"),
        ({"probabilities": [[0.2, 0.8]] * 255}, "255 rows of probabilities, and 256 labels"),
        ({"probabilities": [[0.2, None]] * 256}, "no number, in row 1"),
        ({"probabilities": [[0.2, "inf"]] * 256}, "no number, in row 1"),
        ({"kinds": ["typical"]}, "1 rows of kinds, and 256 answers"),
        ({"kinds": 7}, "cannot be read"),
    ],
)
def test_rows_that_do_not_fit_the_model_are_in_the_way(
    model: Model, rows: bytes, change: dict[str, object], said: str
) -> None:
    document = {**json.loads(rows), **change}
    with pytest.raises(StoreError, match="golden rows") as caught:
        golden.verify(model, json.dumps(document).encode())
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_misspelt_column_is_told_with_the_nearest(model: Model, rows: bytes) -> None:
    document = json.loads(rows)
    document["inputs"]["carier"] = document["inputs"].pop("carrier")
    with pytest.raises(StoreError, match="nearest: carier"):
        golden.verify(model, json.dumps(document).encode())


@pytest.mark.parametrize("damaged", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"inputs":'])
def test_a_damaged_file_is_in_the_way(model: Model, damaged: bytes) -> None:
    with pytest.raises(StoreError, match="golden rows of the model cannot be read") as caught:
        golden.verify(model, damaged)
    assert len(str(caught.value).splitlines()) <= 6


def test_no_file_holds_more_rows_than_can_be_compared(model: Model) -> None:
    many = {name: np.resize(column, golden.MOST_ROWS + 1) for name, column in table().items()}
    kept = golden.written(model, many, rows_at_once=0)
    with pytest.raises(StoreError, match="4097 rows, more than 4096"):
        golden.verify(model, kept)

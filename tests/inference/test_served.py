"""A version opened for serving answers like its model, proves itself, and says what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import quantised
from seatrial.errors import FormError, SeatrialError, StoreError
from seatrial.inference import golden
from seatrial.inference.served import Served
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature

if TYPE_CHECKING:
    from pathlib import Path

    from tests.inference.conftest import Version


NAMES = ("a", "dep delay", "c")


def matrix(rows: int) -> np.ndarray:
    read = np.random.default_rng(8).normal(size=(rows, 3)).astype(np.float32)
    read[::3, 1] = np.nan
    return read


@pytest.mark.parametrize("rows", [1, 2, 64])
def test_a_matrix_is_answered_as_its_columns_are(numbers: Served, rows: int) -> None:
    asked = matrix(rows)
    got = numbers.answer(asked)
    expected = numbers.columns.predict(dict(zip(NAMES, asked.T, strict=True)))
    np.testing.assert_array_equal(got.label, expected.label)
    np.testing.assert_array_equal(got.probabilities, expected.probabilities)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_without_a_matrix_file_a_matrix_is_taken_apart(numbers_files: Version, rows: int) -> None:
    with_it = numbers_files.open()
    del numbers_files.manifest["files"]["matrix.onnx"]
    without = numbers_files.open()
    assert with_it.matrix is not None
    assert without.matrix is None
    assert without.numbers_only
    one, other = with_it.answer(matrix(rows)), without.answer(matrix(rows))
    np.testing.assert_array_equal(one.label, other.label)
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert other.probabilities is not None
    assert other.probabilities.shape == (rows, 2)
    without.prove()


def test_strings_are_answered_by_columns(mixed: Served) -> None:
    asked = {
        "delay": np.array([1.0, -1.0, np.nan], np.float32),
        "carrier": np.array(["DL", "", "never seen"], object),
    }
    got, expected = mixed.answer(asked), mixed.columns.predict(asked)
    assert not mixed.numbers_only
    assert mixed.matrix is None
    assert got.label.tolist() == expected.label.tolist()
    none = mixed.answer({name: column[:0] for name, column in asked.items()})
    assert none.label.shape == (0,)
    assert none.probabilities is not None
    assert none.probabilities.shape == (0, 2)


def test_numbers_are_answered_without_probabilities(regression: Served) -> None:
    got = regression.answer(np.ones((2, 2), np.float32))
    assert got.probabilities is None
    assert got.label.dtype == np.float32
    assert regression.answer(np.ones((0, 2), np.float32)).label.shape == (0,)


def test_a_read_only_view_of_a_body_can_be_answered(numbers: Served) -> None:
    asked = matrix(4)
    view = np.ndarray((4, 3), np.float32, asked.tobytes())
    assert numbers.answer(view).label.tolist() == numbers.answer(asked).label.tolist()


def test_what_was_registered_is_proven(numbers: Served, mixed: Served, regression: Served) -> None:
    for each in (numbers, mixed, regression):
        each.prove()


def test_golden_rows_that_come_out_otherwise_are_refused(numbers_files: Version) -> None:
    document = json.loads(numbers_files.file("golden.json"))
    document["probabilities"][7] = [0.5, 0.5]
    numbers_files.replace("golden.json", json.dumps(document).encode())
    opened = numbers_files.open()
    with pytest.raises(FormError, match=r"answers otherwise.* 1 of \d+ golden rows"):
        opened.prove()


def test_the_rows_that_are_furthest_off_are_told(numbers_files: Version) -> None:
    document = json.loads(numbers_files.file("golden.json"))
    for row in (7, 30, 31, 32):
        document["probabilities"][row] = document["probabilities"][row][::-1]
    numbers_files.replace("golden.json", json.dumps(document).encode())
    with pytest.raises(FormError) as caught:
        numbers_files.open().prove()
    told = str(caught.value)
    assert f"({document['kinds'][7]}): " in told
    assert told.count(" -> ") == 3
    assert len(told.splitlines()) <= 6


def test_the_tolerance_of_the_manifest_decides(numbers_files: Version) -> None:
    document = json.loads(numbers_files.file("golden.json"))
    first, second = document["probabilities"][7]
    document["probabilities"][7] = [first + 3e-5, second - 3e-5]
    numbers_files.replace("golden.json", json.dumps(document).encode())
    wide = {"answers": 1e-4, "order": 5e-5, "rows_at_once": 1}
    numbers_files.manifest["golden"] = {"tolerance": wide}
    numbers_files.open().prove()
    numbers_files.manifest["golden"] = {"tolerance": {**wide, "answers": 1e-5}}
    with pytest.raises(FormError, match="answers otherwise"):
        numbers_files.open().prove()
    numbers_files.manifest["golden"] = {"tolerance": {**wide, "answers": "all"}}
    with pytest.raises(StoreError, match="tolerance"):
        numbers_files.open()


def test_a_model_whose_neighbours_matter_is_proven_as_it_is_asked(
    numbers_files: Version, tmp_path: Path
) -> None:
    content = quantised.dynamic(tmp_path)
    rows = golden.make(Model.load(content, quantised.SIGNATURE), quantised.rows(), seed=1)
    del numbers_files.manifest["files"]["matrix.onnx"]
    numbers_files.replace("model.onnx", content)
    numbers_files.replace("golden.json", rows)
    numbers_files.manifest["signature"] = quantised.SIGNATURE.to_json()
    numbers_files.manifest["golden"] = {"tolerance": {"rows_at_once": 1}}
    numbers_files.open().prove()


def test_the_matrix_is_proven_too(numbers_files: Version) -> None:
    model = onnx.load_from_string(numbers_files.file("matrix.onnx"))
    # the columns in another order: such a graph opens, runs, and answers for other features
    swap = numpy_helper.from_array(np.array([2, 1, 0]), "swap")
    model.graph.initializer.append(swap)
    first = model.graph.node[0]
    node = helper.make_node("Gather", ["features", "swap"], [first.output[0]], axis=1)
    first.CopyFrom(node)
    numbers_files.replace("matrix.onnx", model.SerializeToString())
    opened = numbers_files.open()
    with pytest.raises(FormError, match="the model fed as a matrix answers otherwise"):
        opened.prove()


def test_golden_rows_that_cannot_be_read_are_in_the_way(numbers_files: Version) -> None:
    numbers_files.replace("golden.json", b"{}")
    with pytest.raises(StoreError, match="golden rows"):
        numbers_files.open().prove()


@pytest.mark.parametrize("name", ["model.onnx", "matrix.onnx"])
def test_what_is_no_model_is_refused(numbers_files: Version, name: str) -> None:
    numbers_files.replace(name, b"not a model")
    with pytest.raises(FormError, match="cannot open the model"):
        numbers_files.open()


def test_a_matrix_file_with_other_inputs_is_refused(numbers_files: Version) -> None:
    numbers_files.replace("matrix.onnx", numbers_files.file("model.onnx"))
    with pytest.raises(FormError, match="'features'"):
        numbers_files.open()


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"\xff", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"{}", "cannot be read: KeyError 'files'"),
        (b'{"files": {}}', "cannot be read: KeyError 'signature'"),
        (b'{"files": {}, "signature": {}}', "names no model.onnx and no golden.json"),
        (b'{"files": {"model.onnx": "d", "golden.json": "d"}, "signature": {}}', "no signature"),
    ],
)
def test_a_manifest_that_is_none(manifest: bytes, said: str) -> None:
    with pytest.raises(SeatrialError, match=said):
        Served.open("m", 3, "digest", lambda _: manifest)


def test_a_model_that_fails_when_run_is_refused_at_the_door(numbers_files: Version) -> None:
    signature = Signature((Input("a", "FP32"),), "numbers")
    # it opens, for sizes are known only when rows come; then [n] does not fit [3]
    wanted = numpy_helper.from_array(np.array([3]), "wanted")
    node = helper.make_node("Reshape", ["a", "wanted"], ["label"])
    graph = helper.make_graph(
        [node],
        "breaks",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("label", TensorProto.FLOAT, ["m"])],
        [wanted],
    )
    opsets = [helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    numbers_files.replace("model.onnx", model.SerializeToString())
    del numbers_files.manifest["files"]["matrix.onnx"]
    numbers_files.manifest["signature"] = signature.to_json()
    with pytest.raises(FormError, match="the model fails on a row of missing values"):
        numbers_files.open()

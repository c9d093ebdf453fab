"""What a graph's arithmetic depends on: nothing, its batch, or the processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType

import quantised
from seatrial.models import Training, get
from seatrial.models._arithmetic import arithmetic

if TYPE_CHECKING:
    from pathlib import Path

QDQ, OPERATOR = QuantFormat.QDQ, QuantFormat.QOperator
SIGNED, UNSIGNED = QuantType.QInt8, QuantType.QUInt8


def test_trees_and_networks_of_floats_depend_on_nothing() -> None:
    columns = {"a": np.linspace(0, 1, 100).astype(np.float32)}
    training = Training(columns, np.arange(100) % 2, "classes", (0, 1), {"num_leaves": 4}, 1)
    for content in (quantised.network(), get("gradient_boosted").fit(training).to_onnx()):
        found = arithmetic(content)
        assert (found.int8, found.saturates, found.findings) == ("none", False, ())


@pytest.mark.parametrize(
    ("form", "activations", "weights", "saturates"),
    [
        (QDQ, UNSIGNED, SIGNED, True),
        (QDQ, SIGNED, SIGNED, True),  # onnxruntime makes the activations unsigned
        (QDQ, UNSIGNED, UNSIGNED, False),
        (OPERATOR, UNSIGNED, SIGNED, True),
        (OPERATOR, UNSIGNED, UNSIGNED, False),
    ],
)
def test_static_bytes_overflow_by_their_types(
    tmp_path: Path,
    form: QuantFormat,
    activations: QuantType,
    weights: QuantType,
    *,
    saturates: bool,
) -> None:
    found = arithmetic(quantised.static(tmp_path, form, activations, weights))
    assert (found.int8, found.saturates) == ("static", saturates)
    assert len(found.findings) == saturates
    if saturates:
        assert "without VNNI" in found.findings[0].what
        assert "reduce_range=True" in found.findings[0].hint


@pytest.mark.parametrize("form", [QDQ, OPERATOR])
def test_weights_of_seven_bits_do_not_overflow(tmp_path: Path, form: QuantFormat) -> None:
    found = arithmetic(quantised.static(tmp_path, form, reduce_range=True))
    assert (found.int8, found.saturates, found.findings) == ("static", False, ())


@pytest.mark.parametrize(("weights", "saturates"), [(SIGNED, True), (UNSIGNED, False)])
def test_dynamic_scales_are_those_of_the_batch(
    tmp_path: Path, weights: QuantType, *, saturates: bool
) -> None:
    found = arithmetic(quantised.dynamic(tmp_path, weights=weights))
    assert (found.int8, found.saturates) == ("dynamic", saturates)
    assert "depends on the rows that it is asked with" in found.findings[0].what
    assert "statically" in found.findings[0].hint


def test_a_scale_that_is_computed_is_dynamic_too() -> None:
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["scale"], keepdims=0),
        helper.make_node("QuantizeLinear", ["x", "scale"], ["q"], name="by_hand"),
    ]
    found = arithmetic(_model(nodes))
    assert found.int8 == "dynamic"
    assert "'by_hand'" in found.findings[0].what


@pytest.mark.parametrize(
    ("weights", "saturates"),
    [
        ([64, 64, 64], False),
        ([64, 65, 0], True),
        ([127, 1, 127], False),  # each with its neighbour only
        ([127, 2, 0], True),
        ([-64, -65, 0], True),
        ([127, -127, 127], False),
    ],
)
def test_neighbours_that_are_added_decide(weights: list[int], *, saturates: bool) -> None:
    assert arithmetic(_product(np.array(weights, np.int8).reshape(-1, 1))).saturates is saturates


def test_signed_by_signed_is_exact() -> None:
    weights = np.full((4, 2), 127, np.int8)
    assert not arithmetic(_product(weights, zero=np.int8(0))).saturates
    assert arithmetic(_product(weights, zero=np.uint8(0))).saturates


def test_what_cannot_be_seen_may_overflow() -> None:
    node = helper.make_node("MatMulInteger", ["q", "anything"], ["product"])
    assert arithmetic(_model([node])).saturates


def test_operators_in_branches_and_functions_count() -> None:
    inner = helper.make_graph(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"])],
        "then",
        [],
        [helper.make_tensor_value_info("q", TensorProto.UINT8, ["n"])],
    )
    branch = helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)
    assert arithmetic(_model([branch])).int8 == "dynamic"
    function = helper.make_function(
        "own",
        "Product",
        ["a", "b"],
        ["c"],
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        [helper.make_opsetid("", 17)],
    )
    found = arithmetic(_model([helper.make_node("Product", ["a", "b"], ["c"], domain="own")],
                              functions=[function]))  # fmt: skip
    assert (found.int8, found.saturates) == ("static", True)


def test_weights_alone_in_bytes_are_computed_in_floats() -> None:
    weights = numpy_helper.from_array(np.full((4, 2), 127, np.int8), "w")
    scale = numpy_helper.from_array(np.array(0.1, np.float32), "s")
    nodes = [
        helper.make_node("DequantizeLinear", ["w", "s"], ["floats"]),
        helper.make_node("MatMul", ["x", "floats"], ["y"]),
    ]
    assert arithmetic(_model(nodes, [weights, scale])).int8 == "none"


def _product(weights: np.ndarray, zero: np.generic = np.uint8(0)) -> bytes:  # noqa: B008
    tensors = [
        numpy_helper.from_array(weights, "w"),
        numpy_helper.from_array(np.array(0.1, np.float32), "s"),
        numpy_helper.from_array(np.array(zero), "z"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("MatMulInteger", ["q", "w"], ["y"]),
    ]
    return _model(nodes, tensors)


def _model(
    nodes: list[onnx.NodeProto],
    tensors: list[onnx.TensorProto] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
) -> bytes:
    graph = helper.make_graph(nodes, "made", [], [], tensors or [])
    return bytes(helper.make_model(graph, functions=functions or []).SerializeToString())

"""Small networks of 8 bits, as onnxruntime's own tools make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from seatrial.inference.signature import Input, Signature

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = tuple(f"x{place}" for place in range(16))
SIGNATURE = Signature(tuple(Input(name, "FP32") for name in COLUMNS), "classes", (0, 1, 2))
_WIDTH = 64


def rows(count: int = 500) -> dict[str, np.ndarray]:
    """What the networks read."""
    drawn = np.random.default_rng(7).normal(size=(len(COLUMNS), count)).astype(np.float32)
    return dict(zip(COLUMNS, drawn, strict=True))


def network() -> bytes:
    """A network of float32 with one hidden layer; its weights are random."""
    random = np.random.default_rng(3)
    shapes = {"w1": (len(COLUMNS), _WIDTH), "b1": (_WIDTH,), "w2": (_WIDTH, 3), "b2": (3,)}
    weights = [
        numpy_helper.from_array(random.uniform(-1, 1, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Concat", [*COLUMNS], ["x"], axis=1),
        helper.make_node("MatMul", ["x", "w1"], ["m1"], name="first"),
        helper.make_node("Add", ["m1", "b1"], ["a1"]),
        helper.make_node("Relu", ["a1"], ["h"]),
        helper.make_node("MatMul", ["h", "w2"], ["m2"], name="second"),
        helper.make_node("Add", ["m2", "b2"], ["a2"]),
        helper.make_node("Mul", ["a2", "calm"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["logits"], ["label"], axis=1, keepdims=0),
    ]
    calm = numpy_helper.from_array(np.array(0.3, np.float32), "calm")
    table = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info(name, table, ["n", 1]) for name in COLUMNS],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("probabilities", table, ["n", 3]),
        ],
        [*weights, calm],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


NUMBERS = Signature(SIGNATURE.inputs, "numbers")


def cancelling() -> bytes:
    """A small difference of large terms, in float32: the order of the sum is all that it shows."""
    weights = np.ones((2 * len(COLUMNS), 1), np.float32)
    weights[: len(COLUMNS)] = 1000.0
    weights[len(COLUMNS) :] = -999.0
    nodes = [
        helper.make_node("Concat", [*COLUMNS, *COLUMNS], ["x"], axis=1),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
        helper.make_node("Squeeze", ["y", "axes"], ["label"]),
    ]
    table = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "cancelling",
        [helper.make_tensor_value_info(name, table, ["n", 1]) for name in COLUMNS],
        [helper.make_tensor_value_info("label", table, ["n"])],
        [
            numpy_helper.from_array(weights, "w"),
            numpy_helper.from_array(np.array([1], np.int64), "axes"),
        ],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def dynamic(folder: Path, *, weights: QuantType = QuantType.QInt8) -> bytes:
    """The network with scales that are taken anew over each batch."""
    plain, made = _files(folder)
    quantize_dynamic(plain, made, weight_type=weights)
    return made.read_bytes()


def static(
    folder: Path,
    form: QuantFormat = QuantFormat.QDQ,
    activations: QuantType = QuantType.QUInt8,
    weights: QuantType = QuantType.QInt8,
    *,
    reduce_range: bool = False,
    operators: tuple[str, ...] | None = ("MatMul",),
) -> bytes:
    """The network with scales from 500 rows; ``operators`` are in bytes, None: all that can be."""
    plain, made = _files(folder)
    quantize_static(
        plain,
        made,
        _Rows(),
        quant_format=form,
        activation_type=activations,
        weight_type=weights,
        per_channel=False,
        reduce_range=reduce_range,
        op_types_to_quantize=operators and [*operators],
    )
    return made.read_bytes()


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self) -> None:
        fed = {name: column.reshape(-1, 1) for name, column in rows().items()}
        self._left = iter([fed])

    def get_next(self) -> Any:
        return next(self._left, None)


def _files(folder: Path) -> tuple[Path, Path]:
    plain, made = folder / "plain.onnx", folder / "quantised.onnx"
    onnx.save(onnx.load_from_string(network()), plain)
    return plain, made

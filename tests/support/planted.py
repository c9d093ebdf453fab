"""Small ONNX models made by hand, with a fault or a cost where a test wants it, and as versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seatrial.inference import golden
from seatrial.inference.opening import open_model
from seatrial.inference.signature import Input, Signature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.registry.registry import Registry, Version

_OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]

NUMBERS = Signature((Input("a", "FP32"), Input("b", "FP32")), "numbers")


def graph(
    nodes: Sequence[Any],
    signature: Signature,
    constants: Mapping[str, NDArray[Any]] | None = None,
) -> bytes:
    """A model of these nodes, with the inputs and outputs that the signature asks for."""
    kinds = {"FP32": TensorProto.FLOAT, "BYTES": TensorProto.STRING}
    inputs = [
        helper.make_tensor_value_info(each.name, kinds[each.datatype], [None, 1])
        for each in signature.inputs
    ]
    if signature.problem == "numbers":
        outputs = [helper.make_tensor_value_info("label", TensorProto.FLOAT, [None])]
    else:
        words = any(isinstance(label, str) for label in signature.classes)
        kind = TensorProto.STRING if words else TensorProto.INT64
        outputs = [
            helper.make_tensor_value_info("label", kind, [None]),
            helper.make_tensor_value_info(
                "probabilities", TensorProto.FLOAT, [None, len(signature.classes)]
            ),
        ]
    kept = [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()]
    made = helper.make_graph(list(nodes), "planted", inputs, outputs, kept)
    model = helper.make_model(made, opset_imports=_OPSETS, ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def node(word: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """One operator; names are separated by spaces."""
    return helper.make_node(word, inputs.split(), outputs.split(), **attributes)


def adding(*, steps: int = 0, constant_mb: float = 0, rows: int = -1) -> bytes:
    """``a + b``; slow by so many multiplications, heavy by a constant, or for so many rows only."""
    width = 160
    constants: dict[str, NDArray[Any]] = {"flat": np.array([rows], np.int64)}
    nodes = [node("Add", "a b", "sum")]
    last = "sum"
    if steps or constant_mb:
        constants |= {
            "weight": np.full((width, width), 1 / width, np.float32),
            "spread": np.ones((1, width), np.float32),
            "heavy": np.ones(max(int(constant_mb * 2**20 / 4), 1), np.float32),
            "axes": np.array([1], np.int64),
            "first": np.array([0], np.int64),
            "zero": np.zeros(1, np.float32),
        }
        nodes.append(node("MatMul", "a spread", "step0"))
        nodes += [node("MatMul", f"step{n} weight", f"step{n + 1}") for n in range(steps)]
        nodes += [
            node("ReduceMean", f"step{steps} axes", "mean", keepdims=1),
            node("Gather", "heavy first", "one"),
            node("Mul", "mean one", "weighed"),
            node("Mul", "weighed zero", "nothing"),
            node("Add", "sum nothing", "both"),
        ]
        last = "both"
    nodes.append(node("Reshape", f"{last} flat", "label"))
    return graph(nodes, NUMBERS, constants)


def version(
    registry: Registry,
    model: bytes,
    signature: Signature,
    features: Mapping[str, NDArray[Any]],
    *,
    name: str = "m",
    files: Mapping[str, bytes] | None = None,
    **manifest: object,
) -> Version:
    """A registered version of a model, with golden rows that it answers itself.

    ``files`` go with it; an empty ``model`` leaves out ``model.onnx``.
    """
    put = registry.blobs.put
    kept = {"model.onnx": model, **(files or {})}
    digests = {called: put(content) for called, content in kept.items() if content}
    opened = open_model(digests, registry.blobs.get, signature, name, manifest.get("trust"))
    digests["golden.json"] = put(golden.make(opened, features, seed=1))
    document = {"files": digests, "signature": signature.to_json(), **manifest}
    return registry.register(name, document, label=name, run="none", by="test")

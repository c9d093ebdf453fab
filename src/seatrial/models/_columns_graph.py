"""The ONNX graph that all our models share: columns as they are in, label and probabilities out.

Each text column is coded inside the graph, so that what was done to the columns before a model
is part of the model. Nothing in the graph depends on the clock, a path or chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from seatrial.inference.answer import class_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import NodeProto, ValueInfoProto

    from seatrial.inference.signature import Signature

OPSETS = {"": 15, "ai.onnx.ml": 3}
IR_VERSION = 8

_OUTPUTS = ("label", "probabilities")
_TYPES = {"FP32": TensorProto.FLOAT, "BYTES": TensorProto.STRING}
_OF_ML = frozenset({"LabelEncoder", "TreeEnsembleRegressor"})
_IN_DOUBLE = ("nodes_values", "target_weights")


def taken_names(signature: Signature) -> list[str]:
    """Why the columns cannot be inputs of a graph: one sentence for each that is in the way.

    >>> from seatrial.inference.signature import Input, Signature
    >>> taken_names(Signature((Input("label", "FP32"),), "numbers"))
    ["a column is called 'label', which the model's output needs"]
    """
    taken = [each.name for each in signature.inputs if each.name in {*_OUTPUTS, ""}]
    return [f"a column is called {name!r}, which the model's output needs" for name in taken]


class Graph:
    """The nodes and constants so far; inner names can clash with no column."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.prefix = "graph/"
        while any(each.name.startswith(self.prefix) for each in signature.inputs):
            self.prefix += "/"

    def add(self, operator: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Append a node; its output gets a fresh inner name unless it is given one."""
        output = output or f"{self.prefix}{len(self.nodes)}"
        domain = "ai.onnx.ml" if operator in _OF_ML else ""
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], domain=domain, **attributes)
        )
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        """A named constant."""
        self.constants[self.prefix + name] = value
        return self.prefix + name

    def coded(self, column: str, words: Sequence[str], unknown: float) -> str:
        """A text column as float ``[n, 1]``: the place of its word, or ``unknown``."""
        # The operator demands at least one key. "" gets the code that a missing one gets anyway.
        return self.add(
            "LabelEncoder",
            [column],
            keys_strings=[*words, *([] if "" in words else [""])],
            values_floats=[*map(float, range(len(words))), *([] if "" in words else [unknown])],
            default_float=unknown,
        )

    def placed(self, column: str, words: Sequence[str]) -> str:
        """A text column as int64 ``[n, 1]``: the place of its word, or their number."""
        return self.add(
            "LabelEncoder",
            [column],
            keys_strings=[*words, ""],
            values_int64s=[*range(len(words) + 1)],
            default_int64=len(words),
        )

    def joined(self, columns: list[str]) -> str:
        """All columns as one matrix ``[n, k]``."""
        return self.add("Concat", columns, axis=1) if len(columns) > 1 else columns[0]

    def double(self, value: str) -> str:
        """The value in float64."""
        return self.add("Cast", [value], to=TensorProto.DOUBLE)

    def single(self, value: str, output: str = "") -> str:
        """The value in float32."""
        return self.add("Cast", [value], output, to=TensorProto.FLOAT)

    def double_trees(self, matrix: str, attributes: Mapping[str, Any], **more: Any) -> str:
        """The trees' sums ``[n, targets]``, summed in float64.

        In float32 a sum of large leaves about 0, or of very many, would keep few digits.
        """
        tensors = {
            f"{name}_as_tensor": numpy_helper.from_array(
                np.array(attributes[name], np.float64), name
            )
            for name in _IN_DOUBLE
        }
        plain = {name: value for name, value in attributes.items() if name not in _IN_DOUBLE}
        return self.add("TreeEnsembleRegressor", [self.double(matrix)], **more, **plain, **tensors)

    def number(self, column: str) -> None:
        """The output, from float32 ``[n, 1]``."""
        axes = self.constant("axes", np.ones(1, np.int64))
        self.add("Squeeze", [column, axes], "label")

    def two_probabilities(self, greater: str) -> None:
        """The probabilities, from float32 ``[n, 1]``: that of the second class."""
        one = self.constant("one", np.ones(1, np.float32))
        lesser = self.add("Sub", [one, greater])
        self.add("Concat", [lesser, greater], "probabilities", axis=1)

    def most_probable(self) -> None:
        """The label: the first class of the greatest probability."""
        best = self.add("ArgMax", ["probabilities"], axis=1, keepdims=0)
        labels = self.constant("classes", class_labels(self.signature.classes))
        self.add("Gather", [labels, best], "label", axis=0)

    def content(self) -> bytes:
        """The checked model; the same graph gives the same bytes."""
        used = {name for node in self.nodes for name in node.input}
        graph = helper.make_graph(
            self.nodes,
            "seatrial",
            [
                helper.make_tensor_value_info(each.name, _TYPES[each.datatype], ["n", 1])
                for each in self.signature.inputs
            ],
            self._outputs(),
            [
                numpy_helper.from_array(value, name)
                for name, value in self.constants.items()
                if name in used
            ],
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(
            graph, opset_imports=opsets, producer_name="seatrial", ir_version=IR_VERSION
        )
        checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))

    def _outputs(self) -> list[ValueInfoProto]:
        classes = self.signature.classes
        if self.signature.problem == "numbers":
            return [helper.make_tensor_value_info("label", TensorProto.FLOAT, ["n"])]
        words = class_labels(classes).dtype == object
        label = TensorProto.STRING if words else TensorProto.INT64
        return [
            helper.make_tensor_value_info("label", label, ["n"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(classes)]),
        ]

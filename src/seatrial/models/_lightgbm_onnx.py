"""A LightGBM model as an ONNX graph that takes the columns as they are.

Each string column is coded inside the graph, the columns are joined, the trees are summed, and
the sum is turned into numbers or probabilities just as LightGBM does. The label is the class
of the greatest probability. Nothing in the graph depends on the clock, a path or chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from seatrial.errors import Mistake
from seatrial.inference.answer import class_labels
from seatrial.models import NotExportable
from seatrial.models._lightgbm_trees import MISSING_BITS, MISSING_SHIFT, MISSING_ZERO, read
from seatrial.models._tree_ensemble import ensemble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import ModelProto, NodeProto, ValueInfoProto

    from seatrial.inference.signature import Input, Signature
    from seatrial.models._lightgbm_trees import Tree

OPSETS = {"": 15, "ai.onnx.ml": 3}
IR_VERSION = 8
UNSEEN = -1.0
"""The code of a missing or unseen category: LightGBM sends it right at every split."""

_EXPONENTIAL = frozenset({"poisson", "gamma", "tweedie"})
_IDENTITY = frozenset(
    {"regression", "regression_l1", "huber", "fair", "quantile", "mape"},
)
_OUTPUTS = ("label", "probabilities")


def export(text: str, signature: Signature, categories: Mapping[str, Sequence[str]]) -> bytes:
    """The ONNX bytes of a model text; NotExportable says why there is no exact form."""
    fields, trees = read(text)
    _demand_exportable(fields, trees, signature)
    graph = _Graph(signature)
    matrix = graph.joined([graph.coded(i, categories.get(i.name)) for i in signature.inputs])
    raw = graph.sums(matrix, trees, int(fields["num_tree_per_iteration"]))
    graph.answers(raw, fields["objective"].split())
    return bytes(graph.model().SerializeToString(deterministic=True))


class _Graph:
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
        domain = "ai.onnx.ml" if operator in _TREE_OPERATORS else ""
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], domain=domain, **attributes)
        )
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        """A named constant."""
        self.constants[self.prefix + name] = value
        return self.prefix + name

    def coded(self, column: Input, categories: Sequence[str] | None) -> str:
        """The column as float ``[n, 1]``."""
        if column.datatype == "FP32":
            return column.name
        words = list(categories or [])
        # The operator demands at least one key. Code -1 for "" is what a missing one gets anyway.
        return self.add(
            "LabelEncoder",
            [column.name],
            keys_strings=[*words, *([] if "" in words else [""])],
            values_floats=[*map(float, range(len(words))), *([] if "" in words else [UNSEEN])],
            default_float=UNSEEN,
        )

    def joined(self, columns: list[str]) -> str:
        """All columns as one matrix ``[n, k]``."""
        return self.add("Concat", columns, axis=1) if len(columns) > 1 else columns[0]

    def sums(self, matrix: str, trees: Sequence[Tree], targets: int) -> str:
        """The trees' sums ``[n, targets]``."""
        attributes: dict[str, Any] = ensemble(trees, targets).attributes()
        if self.signature.problem == "numbers":
            # Sums of large leaves cancel: in float32 an answer near 0 would keep few digits.
            matrix = self.add("Cast", [matrix], to=TensorProto.DOUBLE)
            for name in ("nodes_values", "target_weights"):
                attributes[f"{name}_as_tensor"] = numpy_helper.from_array(
                    np.array(attributes.pop(name), np.float64), name
                )
        return self.add("TreeEnsembleRegressor", [matrix], n_targets=targets, **attributes)

    def answers(self, raw: str, objective: list[str]) -> None:
        """The outputs, from the raw sums."""
        if self.signature.problem == "numbers":
            self._numbers(raw, objective)
            return
        kind, *options = objective
        if kind == "multiclass":
            self.add("Softmax", [raw], "probabilities", axis=1)
        else:
            sigmoid = next((o for o in options if o.startswith("sigmoid:")), "sigmoid:1")
            slope = self.constant("slope", np.array([sigmoid.partition(":")[2]], np.float32))
            scaled = raw if sigmoid == "sigmoid:1" else self.add("Mul", [raw, slope])
            own = "probabilities" if kind == "multiclassova" else ""
            greater = self.add("Sigmoid", [scaled], own)
            if kind == "binary":
                one = self.constant("one", np.ones(1, np.float32))
                lesser = self.add("Sub", [one, greater])
                self.add("Concat", [lesser, greater], "probabilities", axis=1)
        best = self.add("ArgMax", ["probabilities"], axis=1, keepdims=0)
        labels = self.constant("classes", class_labels(self.signature.classes))
        self.add("Gather", [labels, best], "label", axis=0)

    def _numbers(self, raw: str, objective: list[str]) -> None:
        axes = self.constant("axes", np.ones(1, np.int64))
        if objective[0] in _EXPONENTIAL:
            raw = self.add("Exp", [raw])
        elif "sqrt" in objective:
            # reg_sqrt: trained on sign(y) * sqrt(|y|), answered as sign(s) * s².
            raw = self.add("Mul", [raw, self.add("Abs", [raw])])
        self.add("Squeeze", [raw, axes], "label")

    def model(self) -> ModelProto:
        """The checked model."""
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
        return model

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


_TYPES = {"FP32": TensorProto.FLOAT, "BYTES": TensorProto.STRING}
_TREE_OPERATORS = frozenset({"LabelEncoder", "TreeEnsembleRegressor"})


def _demand_exportable(fields: dict[str, str], trees: list[Tree], signature: Signature) -> None:
    taken = [each.name for each in signature.inputs if each.name in {*_OUTPUTS, ""}]
    kind = fields.get("objective", "").partition(" ")[0]
    known = {"binary", "multiclass", "multiclassova", *_IDENTITY, *_EXPONENTIAL}
    missing = {int(d) >> MISSING_SHIFT & MISSING_BITS for tree in trees for d in tree.decision}
    reasons = [
        *(f"a column is called {name!r}, which the model's output needs" for name in taken),
        *([] if kind in known else [f"the objective {kind!r} has no form in ONNX"]),
        *(["its trees are averaged, not summed"] if "average_output" in fields else []),
        *(["zero counts as missing"] if MISSING_ZERO in missing else []),
    ]
    if reasons:
        raise NotExportable(*(Mistake(f"the model cannot be exported: {each}") for each in reasons))

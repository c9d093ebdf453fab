"""The graph of a file, and the nodes that are put around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import GraphProto, NodeProto, ValueInfoProto

    from seatrial.inference.signature import Signature

LABEL, PROBABILITIES = "label", "probabilities"

TYPES = {"FP32": TensorProto.FLOAT, "BYTES": TensorProto.STRING}


@dataclass(slots=True)
class Around:
    """A file's model, with what stands in front of its nodes and behind them.

    Inside, the file's names begin with ``theirs`` and ours with ``ours``: so they clash neither
    with each other nor with a column.
    """

    model: ModelProto
    signature: Signature
    where: str
    theirs: str
    ours: str
    front: list[NodeProto] = field(default_factory=list)
    behind: list[NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    fixed_rows: int | None = None
    """The only number of rows that the file says it takes."""
    whole: frozenset[str] = frozenset()
    """Columns that the file reads as whole numbers or booleans."""

    @classmethod
    def of(cls, model: ModelProto, signature: Signature, where: str) -> Around:
        """Nothing around it yet; FormError when a column is called as our outputs are."""
        names = [each.name for each in signature.inputs]
        needed = [LABEL, PROBABILITIES] if signature.problem == "classes" else [LABEL]
        for name in needed:
            if name in names:
                what = f"a column is called {name!r}, which the model's output needs"
                raise FormError(Mistake(what, where, fix="give the column another name"))
        return cls(model, signature, where, _prefix("file/", names), _prefix("seatrial/", names))

    @property
    def graph(self) -> GraphProto:
        """The file's graph."""
        return self.model.graph

    def wrong(self, what: str, fix: str, nearest: str = "") -> FormError:
        """What is wrong with the file."""
        return FormError(Mistake(what, self.where, nearest=nearest, fix=fix))

    def put(
        self,
        nodes: list[NodeProto],
        operator: str,
        inputs: Sequence[str],
        output: str = "",
        **attributes: Any,
    ) -> str:
        """Append a node to ``front`` or ``behind``; returns the name of its output."""
        output = output or f"{self.ours}{len(self.front) + len(self.behind)}"
        nodes.append(helper.make_node(operator, [*inputs], [output], **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        """A named constant; the same name is the same constant."""
        self.constants[self.ours + name] = np.asarray(value)
        return self.ours + name

    def rename(self, names: Mapping[str, str]) -> None:
        """Give every name of the file its prefix, but for those that get another name here."""
        _rename(self.graph, lambda name: names.get(name, self.theirs + name) if name else "")

    def draft(self) -> bytes:
        """As it stands so far, with the file's own outputs."""
        return bytes(self._assembled().SerializeToString())

    def serialised(self) -> bytes:
        """All of it, checked; FormError when it is no valid ONNX."""
        model = self._assembled()
        del model.graph.output[:]
        model.graph.output.extend(self._outputs())
        model.graph.name = "seatrial"
        try:
            checker.check_model(model)
        except checker.ValidationError as error:
            reason = " ".join(str(error).replace(self.theirs, "").split())[:300]
            fix = "export it again, with the newest exporter"
            raise self.wrong(f"the file is no valid ONNX:\n{reason}", fix) from error
        return bytes(model.SerializeToString(deterministic=True))

    def _assembled(self) -> ModelProto:
        model = ModelProto()
        model.CopyFrom(self.model)
        del model.graph.node[:]
        model.graph.node.extend([*self.front, *self.graph.node, *self.behind])
        model.graph.initializer.extend(
            numpy_helper.from_array(value, name) for name, value in self.constants.items()
        )
        return model

    def _outputs(self) -> list[ValueInfoProto]:
        classes = self.signature.classes
        if self.signature.problem == "numbers":
            return [helper.make_tensor_value_info(LABEL, TensorProto.FLOAT, ["n"])]
        words = any(isinstance(each, str) for each in classes)
        label = TensorProto.STRING if words else TensorProto.INT64
        shape: list[str | int | None] = ["n", len(classes)]
        return [
            helper.make_tensor_value_info(LABEL, label, ["n"]),
            helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, shape),
        ]


def _prefix(prefix: str, names: Sequence[str]) -> str:
    while any(name.startswith(prefix) for name in names):
        prefix += "/"
    return prefix


def _rename(graph: GraphProto, new: Any) -> None:
    """The same change everywhere, so that graphs inside still mean the same values."""
    held = [*graph.initializer, *(each.values for each in graph.sparse_initializer)]
    for named in (*graph.input, *graph.output, *held):
        named.name = new(named.name)
    # Sizes as they were inferred for one number of rows: onnxruntime infers them again.
    del graph.value_info[:]
    for node in graph.node:
        for names in (node.input, node.output):
            renamed = [*map(new, names)]
            del names[:]
            names.extend(renamed)
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                _rename(inner, new)

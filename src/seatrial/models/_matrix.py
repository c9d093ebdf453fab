"""The same ONNX graph with one matrix as its input instead of a column each.

A session checks and copies every input it is fed, so one matrix costs a request of one row far
less than sixteen columns do.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto, helper

from seatrial.inference.matrix import FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import GraphProto, NodeProto, ValueInfoProto

    from seatrial.inference.signature import Signature

_MATRIX_RANK = 2


def with_matrix_input(model: bytes, signature: Signature) -> bytes | None:
    """The graph with one input ``features``, float32 ``[n, k]``, columns in signature order.

    None when the graph has no such form: its inputs are not all float32 ``[n, 1]``, or they meet
    in no single ``Concat`` along the columns, in signature order, with nothing else reading them.
    A graph with one input may use it in any way. The same bytes give the same bytes.
    """
    read = onnx.load_from_string(model)
    graph = read.graph
    names = [each.name for each in signature.inputs]
    inputs = {each.name: each for each in graph.input}
    held = {each.name for each in graph.initializer}
    held |= {each.values.name for each in graph.sparse_initializer}
    if sorted(inputs) != sorted(names) or held & inputs.keys():
        return None
    if not all(map(_is_column, inputs.values())):
        return None
    rows = {each.type.tensor_type.shape.dim[0].SerializeToString() for each in graph.input}
    place = 0 if len(names) == 1 else _place_of_concat(graph, names)
    if len(rows) > 1 or place is None:
        return None
    joined = names[0] if len(names) == 1 else graph.node[place].output[0]
    if FEATURES in _names(graph) - {*names, joined}:
        return None
    _replace(graph, place, names, joined)
    return bytes(read.SerializeToString(deterministic=True))


def _is_column(value: ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    dimensions = tensor.shape.dim
    return (
        tensor.elem_type == TensorProto.FLOAT
        and len(dimensions) == _MATRIX_RANK
        and dimensions[1].dim_value == 1
    )


def _place_of_concat(graph: GraphProto, names: list[str]) -> int | None:
    """Where the one node stands that reads the inputs, when it joins them as they are."""
    uses = Counter(name for each in _graphs(graph) for name in _read(each))
    if any(uses[name] != 1 for name in names):
        return None
    return next((i for i, node in enumerate(graph.node) if _joins(node, names)), None)


def _joins(node: NodeProto, names: list[str]) -> bool:
    axes = [each.i for each in node.attribute if each.name == "axis"]
    return (
        node.op_type == "Concat"
        and node.domain in {"", "ai.onnx"}
        and [*node.input] == names
        and axes in ([1], [-1])
    )


def _replace(graph: GraphProto, place: int, names: list[str], joined: str) -> None:
    """Put the matrix where the joined columns were, or where the only column was."""
    if len(names) > 1:
        del graph.node[place]
    matrix = onnx.ValueInfoProto()
    matrix.CopyFrom(graph.input[0])
    matrix.name = FEATURES
    matrix.type.tensor_type.shape.dim[1].dim_value = len(names)
    del graph.input[:]
    graph.input.append(matrix)
    if joined != FEATURES:
        # onnxruntime drops it when it opens the model
        graph.node.insert(place, helper.make_node("Identity", [FEATURES], [joined]))


def _names(graph: GraphProto) -> set[str]:
    """Every name of a value in the graph and the graphs inside it."""
    held = {each.name for each in (*graph.input, *graph.initializer)}
    made = {name for each in _graphs(graph) for node in each.node for name in node.output}
    return held | made | {name for each in _graphs(graph) for name in _read(each)}


def _read(graph: GraphProto) -> list[str]:
    """What the nodes and outputs of one graph read, as often as they do."""
    outputs = [each.name for each in graph.output]
    return [*outputs, *(name for node in graph.node for name in node.input)]


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """The graph and the graphs inside it, which may read its values."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
            for inner in attribute.graphs:
                yield from _graphs(inner)

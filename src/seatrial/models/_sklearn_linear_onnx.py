"""A linear model as an ONNX graph that takes the columns as they are.

Everything is computed in float64 and rounded once, at the end: in float32 the sum of many terms,
or a small difference of large numbers, would keep few digits. A word is looked up in the table
of its column, so that no matrix of ones and zeros is ever made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from seatrial.errors import Mistake
from seatrial.models import NotExportable
from seatrial.models._columns_graph import Graph, taken_names
from seatrial.models._sklearn_design import FARTHEST, Number, Text

if TYPE_CHECKING:
    from seatrial.inference.signature import Signature
    from seatrial.models._sklearn_weights import Weights

_TWO = 2


def export(weights: Weights, signature: Signature) -> bytes:
    """The ONNX bytes; NotExportable says why there is no exact form."""
    reasons = taken_names(signature)
    if reasons:
        raise NotExportable(*(Mistake(f"the model cannot be exported: {each}") for each in reasons))
    graph = Graph(signature)
    numbers = [(c, own) for c, own in weights.parts() if isinstance(c, Number)]
    texts = [(c, own) for c, own in weights.parts() if isinstance(c, Text)]
    total = graph.constant("intercept", weights.intercept)
    if numbers:
        total = graph.add("Add", [_numbers(graph, numbers), total])
    for place, (column, own) in enumerate(texts):
        total = graph.add("Add", [total, _text(graph, column, own, place)])
    _answers(graph, total)
    return graph.content()


def _numbers(graph: Graph, columns: list[tuple[Number, np.ndarray]]) -> str:
    """What all number columns add up to, float64 ``[n, outputs]``."""
    matrix = graph.double(graph.joined([column.name for column, _ in columns]))
    missing = graph.add("IsNaN", [matrix])

    def row(name: str) -> str:
        return graph.constant(name, np.array([getattr(column, name) for column, _ in columns]))

    filled = graph.add("Where", [missing, row("filling"), matrix])
    centred = graph.add("Sub", [filled, row("centre")])
    ends = [graph.constant(name, np.array(end)) for name, end in _ENDS.items()]
    standardised = graph.add("Clip", [graph.add("Div", [centred, row("spread")]), *ends])
    table = graph.constant("weights", np.stack([own[0] for _, own in columns]))
    total = graph.add("MatMul", [standardised, table])
    if any(column.gaps for column, _ in columns):
        nothing = np.zeros(columns[0][1].shape[1])
        gaps = np.stack([own[1] if column.gaps else nothing for column, own in columns])
        held = graph.add("Cast", [missing], to=TensorProto.DOUBLE)
        total = graph.add(
            "Add", [total, graph.add("MatMul", [held, graph.constant("gap_weights", gaps)])]
        )
    return total


def _text(graph: Graph, column: Text, own: np.ndarray, place: int) -> str:
    """What a text column adds, float64 ``[n, outputs]``."""
    axes = graph.constant("axes", np.ones(1, np.int64))
    at = graph.add("Squeeze", [graph.placed(column.name, column.words), axes])
    return graph.add("Gather", [graph.constant(f"words{place}", own), at], axis=0)


def _answers(graph: Graph, total: str) -> None:
    if graph.signature.problem == "numbers":
        graph.number(graph.single(total))
        return
    if len(graph.signature.classes) == _TWO:
        graph.two_probabilities(graph.single(graph.add("Sigmoid", [total])))
    else:
        graph.single(graph.add("Softmax", [total], axis=1), "probabilities")
    graph.most_probable()


_ENDS = {"lowest": -FARTHEST, "highest": FARTHEST}

"""A LightGBM model as an ONNX graph that takes the columns as they are.

Each string column is coded inside the graph, the columns are joined, the trees are summed, and
the sum is turned into numbers or probabilities just as LightGBM does. The label is the class
of the greatest probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import Mistake
from seatrial.models import NotExportable
from seatrial.models._columns_graph import Graph, taken_names
from seatrial.models._lightgbm_trees import MISSING_BITS, MISSING_SHIFT, MISSING_ZERO, read
from seatrial.models._tree_ensemble import ensemble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.inference.signature import Signature
    from seatrial.models._lightgbm_trees import Tree

UNSEEN = -1.0
"""The code of a missing or unseen category: LightGBM sends it right at every split."""

_EXPONENTIAL = frozenset({"poisson", "gamma", "tweedie"})
_IDENTITY = frozenset(
    {"regression", "regression_l1", "huber", "fair", "quantile", "mape"},
)


def export(text: str, signature: Signature, categories: Mapping[str, Sequence[str]]) -> bytes:
    """The ONNX bytes of a model text; NotExportable says why there is no exact form."""
    fields, trees = read(text)
    _demand_exportable(fields, trees, signature)
    graph = Graph(signature)
    matrix = graph.joined(
        [
            each.name
            if each.datatype == "FP32"
            else graph.coded(each.name, categories.get(each.name, ()), UNSEEN)
            for each in signature.inputs
        ]
    )
    raw = _sums(graph, matrix, trees, int(fields["num_tree_per_iteration"]))
    _answers(graph, raw, fields["objective"].split())
    return graph.content()


def _sums(graph: Graph, matrix: str, trees: Sequence[Tree], targets: int) -> str:
    """The trees' sums ``[n, targets]``."""
    attributes: dict[str, Any] = ensemble(trees, targets).attributes()
    if graph.signature.problem == "numbers":
        return graph.double_trees(matrix, attributes, n_targets=targets)
    return graph.add("TreeEnsembleRegressor", [matrix], n_targets=targets, **attributes)


def _answers(graph: Graph, raw: str, objective: list[str]) -> None:
    """The outputs, from the raw sums."""
    if graph.signature.problem == "numbers":
        _numbers(graph, raw, objective)
        return
    kind, *options = objective
    if kind == "multiclass":
        graph.add("Softmax", [raw], "probabilities", axis=1)
    else:
        sigmoid = next((o for o in options if o.startswith("sigmoid:")), "sigmoid:1")
        slope = graph.constant("slope", np.array([sigmoid.partition(":")[2]], np.float32))
        scaled = raw if sigmoid == "sigmoid:1" else graph.add("Mul", [raw, slope])
        own = "probabilities" if kind == "multiclassova" else ""
        greater = graph.add("Sigmoid", [scaled], own)
        if kind == "binary":
            graph.two_probabilities(greater)
    graph.most_probable()


def _numbers(graph: Graph, raw: str, objective: list[str]) -> None:
    if objective[0] in _EXPONENTIAL:
        raw = graph.add("Exp", [raw])
    elif "sqrt" in objective:
        # reg_sqrt: trained on sign(y) * sqrt(|y|), answered as sign(s) * s².
        raw = graph.add("Mul", [raw, graph.add("Abs", [raw])])
    graph.number(raw)


def _demand_exportable(fields: dict[str, str], trees: list[Tree], signature: Signature) -> None:
    kind = fields.get("objective", "").partition(" ")[0]
    known = {"binary", "multiclass", "multiclassova", *_IDENTITY, *_EXPONENTIAL}
    missing = {int(d) >> MISSING_SHIFT & MISSING_BITS for tree in trees for d in tree.decision}
    reasons = [
        *taken_names(signature),
        *([] if kind in known else [f"the objective {kind!r} has no form in ONNX"]),
        *(["its trees are averaged, not summed"] if "average_output" in fields else []),
        *(["zero counts as missing"] if MISSING_ZERO in missing else []),
    ]
    if reasons:
        raise NotExportable(*(Mistake(f"the model cannot be exported: {each}") for each in reasons))

"""A forest as an ONNX graph that takes the columns as they are.

Words are coded inside the graph, missing values go where the trees send them, and the trees are
averaged in float64 in their order: the answers are the very bits of the trained model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import Mistake
from seatrial.models import NotExportable
from seatrial.models._columns_graph import Graph, taken_names
from seatrial.models._tree_ensemble import Ensemble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.inference.signature import Signature
    from seatrial.models._sklearn_forest import Forest

NODE_BYTES = 48
"""What a node takes in the file, at most: 39 were measured for 2.5 million nodes."""
MOST_BYTES = 2**31 - 1
"""Protobuf, and so ONNX, holds no more in one message."""
_TWO = 2


def export(forest: Forest, signature: Signature, words: Mapping[str, Sequence[str]]) -> bytes:
    """The ONNX bytes; NotExportable says why there is no exact form."""
    _demand_exportable(forest, signature)
    graph = Graph(signature)
    coded = [
        each.name
        if each.datatype == "FP32"
        else graph.coded(each.name, words[each.name], float("nan"))
        for each in signature.inputs
    ]
    mean = graph.double_trees(
        graph.joined(coded),
        _ensemble(forest).attributes(),
        n_targets=forest.values.shape[1],
        aggregate_function="AVERAGE",
    )
    if signature.problem == "numbers":
        graph.number(mean)
    elif len(signature.classes) == _TWO:
        graph.two_probabilities(mean)
        graph.most_probable()
    else:
        graph.add("Identity", [mean], "probabilities")
        graph.most_probable()
    return graph.content()


def _ensemble(forest: Forest) -> Ensemble:
    """The attributes of the operator; a leaf's zeros are left out where it has other values."""
    nodes = len(forest.left)
    sizes = np.diff(np.append(forest.roots, nodes))
    tree = np.repeat(np.arange(len(sizes)), sizes)
    root = np.repeat(forest.roots, sizes)
    own = np.arange(nodes) - root
    inner = forest.left >= 0
    leaf = np.flatnonzero(~inner)
    held = forest.values[~forest.left[leaf]]
    weighty = held != 0
    weighty[:, 0] |= ~weighty.any(axis=1)  # the operator wants a weight in every leaf
    row, target = np.nonzero(weighty)
    return Ensemble(
        nodes_treeids=tree.tolist(),
        nodes_nodeids=own.tolist(),
        nodes_featureids=forest.feature.tolist(),
        nodes_modes=np.where(inner, "BRANCH_LEQ", "LEAF").tolist(),
        nodes_values=forest.threshold.tolist(),
        nodes_truenodeids=np.where(inner, forest.left - root, 0).tolist(),
        nodes_falsenodeids=np.where(inner, forest.left - root + 1, 0).tolist(),
        nodes_missing_value_tracks_true=forest.missing_left.astype(int).tolist(),
        target_treeids=tree[leaf][row].tolist(),
        target_nodeids=own[leaf][row].tolist(),
        target_ids=target.tolist(),
        target_weights=held[row, target].tolist(),
    )


def _demand_exportable(forest: Forest, signature: Signature) -> None:
    reasons = [f"the model cannot be exported: {each}" for each in taken_names(signature)]
    size = NODE_BYTES * (len(forest.left) + np.count_nonzero(forest.values))
    if size > MOST_BYTES:
        reasons.append(
            f"the forest cannot be exported: its {len(forest.left)} nodes take more than the"
            " 2 GB that an ONNX file may have; set max_depth or min_samples_leaf"
        )
    if reasons:
        raise NotExportable(*map(Mistake, reasons))

"""Trees as the attributes of ONNX's ``TreeEnsembleRegressor`` (ai.onnx.ml 3)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from seatrial.models._lightgbm_trees import (
    CATEGORICAL,
    DEFAULT_LEFT,
    MISSING_BITS,
    MISSING_NAN,
    MISSING_SHIFT,
    Tree,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Ensemble:
    """The attributes under ONNX's own names; lists that run in parallel."""

    nodes_treeids: list[int] = field(default_factory=list)
    nodes_nodeids: list[int] = field(default_factory=list)
    nodes_featureids: list[int] = field(default_factory=list)
    nodes_modes: list[str] = field(default_factory=list)
    nodes_values: list[float] = field(default_factory=list)
    nodes_truenodeids: list[int] = field(default_factory=list)
    nodes_falsenodeids: list[int] = field(default_factory=list)
    nodes_missing_value_tracks_true: list[int] = field(default_factory=list)
    target_treeids: list[int] = field(default_factory=list)
    target_nodeids: list[int] = field(default_factory=list)
    target_ids: list[int] = field(default_factory=list)
    target_weights: list[float] = field(default_factory=list)

    def attributes(self) -> dict[str, list[int] | list[float] | list[str]]:
        """Name to list."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def ensemble(trees: Sequence[Tree], targets: int) -> Ensemble:
    """All trees; tree ``i`` adds to target ``i % targets``, as LightGBM orders them."""
    made = Ensemble()
    for index, tree in enumerate(trees):
        _add(made, tree, index, index % targets)
    return made


def _add(made: Ensemble, tree: Tree, index: int, target: int) -> None:
    """One tree: its splits first, then its leaves.

    ONNX has no membership test, so a split on categories becomes a chain of equalities: each
    holds its hits' branch, the last one leads on. All hits share one child.
    """
    splits = len(tree.feature)
    chains = [_codes(tree, split) for split in range(splits)]
    first: list[int] = []
    total = 0
    for codes in chains:
        first.append(total)
        total += len(codes) or 1

    def child(number: int) -> int:
        return first[number] if number >= 0 else total - number - 1

    for split in range(splits):
        left, right = child(int(tree.left[split])), child(int(tree.right[split]))
        feature, codes = int(tree.feature[split]), chains[split]
        for step, code in enumerate(codes):
            node = first[split] + step
            other = right if step == len(codes) - 1 else node + 1
            _node(made, index, node, (feature, "BRANCH_EQ", float(code)), (left, other, 0))
        if not codes:
            value = float(tree.threshold[split])
            follows = (left, right, _missing_goes_left(int(tree.decision[split]), value))
            _node(made, index, first[split], (feature, "BRANCH_LEQ", value), follows)
    for leaf, weight in enumerate(tree.leaf.tolist()):
        _node(made, index, total + leaf, (0, "LEAF", 0.0), (0, 0, 0))
        made.target_treeids.append(index)
        made.target_nodeids.append(total + leaf)
        made.target_ids.append(target)
        made.target_weights.append(weight)


def _node(
    made: Ensemble,
    tree: int,
    node: int,
    test: tuple[int, str, float],
    follows: tuple[int, int, int],
) -> None:
    feature, mode, value = test
    hit, miss, missing_hits = follows
    made.nodes_treeids.append(tree)
    made.nodes_nodeids.append(node)
    made.nodes_featureids.append(feature)
    made.nodes_modes.append(mode)
    made.nodes_values.append(value)
    made.nodes_truenodeids.append(hit)
    made.nodes_falsenodeids.append(miss)
    made.nodes_missing_value_tracks_true.append(missing_hits)


def _codes(tree: Tree, split: int) -> tuple[int, ...]:
    if not tree.decision[split] & CATEGORICAL:
        return ()
    # An empty set sends everything right: no category has the code -2 (and -1 is the unseen one).
    return tree.categories[int(tree.threshold[split])] or (-2,)


def _missing_goes_left(decision: int, threshold: float) -> int:
    """LightGBM reads a NaN as 0 where the training data had none missing."""
    if decision >> MISSING_SHIFT & MISSING_BITS == MISSING_NAN:
        return int(bool(decision & DEFAULT_LEFT))
    return int(threshold >= 0.0)

"""scikit-learn's trees in ONNX, exactly: compared and summed in float64, missing values too.

skl2onnx 1.20 cannot write trees of histogram gradient boosting for the onnx of today (it hands
protobuf a boolean), rounds their thresholds to the nearest float32, and drops where a forest
sends missing values. These converters take the place of its own; see
https://onnx.ai/sklearn-onnx/auto_tutorial/plot_icustom_converter.html for what one is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, numpy_helper

from seatrial.inference.answer import class_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

_ML = "ai.onnx.ml"
_ML_OPSET = 3
_VERSIONS = {
    **dict.fromkeys(("ArgMax", "Cast", "Concat", "Exp", "Sigmoid", "Softmax"), 13),
    "Sub": 14,
}
"""The newest version of each operator up to opset 15."""
_NODE = (
    *("treeids", "nodeids", "featureids", "modes", "truenodeids", "falsenodeids"),
    "missing_value_tracks_true",
)
_LEAF = ("treeids", "nodeids", "ids")


def converters() -> dict[type, Callable[[Any, Any, Any], None]]:
    """By estimator type, as skl2onnx's ``custom_conversion_functions`` wants them."""
    from sklearn import ensemble, tree  # noqa: PLC0415 - only who converts has it loaded

    return {
        ensemble.HistGradientBoostingClassifier: _boosted_classes,
        ensemble.HistGradientBoostingRegressor: _boosted_numbers,
        ensemble.RandomForestClassifier: _averaged_classes,
        ensemble.ExtraTreesClassifier: _averaged_classes,
        ensemble.RandomForestRegressor: _averaged_numbers,
        ensemble.ExtraTreesRegressor: _averaged_numbers,
        tree.DecisionTreeClassifier: _averaged_classes,
        tree.DecisionTreeRegressor: _averaged_numbers,
    }


class NoForm(ValueError):  # noqa: N818 - said as the user says it
    """A tree that ONNX cannot say."""


def _boosted_classes(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    raw = _sums(scope, operator, container, _boosted(model), np.ravel(model._baseline_prediction))  # noqa: SLF001
    if len(model.classes_) == 2:  # noqa: PLR2004
        greater = _node(scope, container, "Sigmoid", [raw])
        one = _constant(scope, container, np.ones(1))
        lesser = _node(scope, container, "Sub", [one, greater])
        wide = _node(scope, container, "Concat", [lesser, greater], axis=1)
    else:
        wide = _node(scope, container, "Softmax", [raw], axis=1)
    _answer_classes(scope, operator, container, wide)


def _boosted_numbers(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    raw = _sums(scope, operator, container, _boosted(model), np.ravel(model._baseline_prediction))  # noqa: SLF001
    loss = type(model._loss).__name__  # noqa: SLF001
    if loss in {"HalfPoissonLoss", "HalfGammaLoss"}:
        raw = _node(scope, container, "Exp", [raw])
    elif loss not in {"HalfSquaredError", "AbsoluteError", "PinballLoss"}:
        raise NoForm(f"the loss {loss} has no form in ONNX here")
    _cast(container, raw, operator.outputs[0])


def _averaged_classes(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    if model.n_outputs_ != 1:
        raise NoForm("several targets at once have no form here")
    count = len(model.classes_)
    raw = _sums(scope, operator, container, _averaged(model), np.zeros(count))
    _answer_classes(scope, operator, container, raw)


def _averaged_numbers(scope: Any, operator: Any, container: Any) -> None:
    model = operator.raw_operator
    if model.n_outputs_ != 1:
        raise NoForm("several targets at once have no form here")
    raw = _sums(scope, operator, container, _averaged(model), np.zeros(1))
    _cast(container, raw, operator.outputs[0])


def _boosted(model: Any) -> Iterator[dict[str, NDArray[Any]]]:
    """The nodes of each tree; tree ``i`` of a round adds to target ``i``."""
    for trees in model._predictors:  # noqa: SLF001 - the fitted trees have no public name
        for target, each in enumerate(trees):
            nodes = each.nodes
            leaf = nodes["is_leaf"].astype(bool)
            if nodes["is_categorical"][~leaf].any():
                raise NoForm("splits on sets of categories have no form in ONNX")
            weights = np.zeros((len(nodes), len(trees)))
            weights[:, target] = nodes["value"]
            yield {
                "leaf": leaf,
                "feature": nodes["feature_idx"],
                "threshold": nodes["num_threshold"],
                "left": nodes["left"],
                "right": nodes["right"],
                "missing_left": nodes["missing_go_to_left"],
                "weights": weights,
            }


def _averaged(model: Any) -> Iterator[dict[str, NDArray[Any]]]:
    """The nodes of each tree; the leaves hold what the forest averages."""
    trees = getattr(model, "estimators_", [model])
    for each in trees:
        tree = each.tree_
        value = tree.value[:, 0, :].astype(np.float64)
        if hasattr(model, "classes_"):
            value = value / value.sum(axis=1, keepdims=True)
        yield {
            "leaf": tree.children_left == -1,
            "feature": tree.feature,
            "threshold": tree.threshold,
            "left": tree.children_left,
            "right": tree.children_right,
            "missing_left": tree.missing_go_to_left,
            "weights": value / len(trees),
        }


def _sums(
    scope: Any,
    operator: Any,
    container: Any,
    trees: Iterator[dict[str, NDArray[Any]]],
    base: NDArray[Any],
) -> str:
    """The name of the trees' sums ``[n, targets]``, plus ``base``; summed in float64."""
    targets = len(base)
    node: dict[str, list[Any]] = {name: [] for name in _NODE}
    leaf: dict[str, list[int]] = {name: [] for name in _LEAF}
    values: list[float] = []
    weights: list[float] = []
    for number, tree in enumerate(trees):
        is_leaf = tree["leaf"]
        count = len(is_leaf)
        numbers = range(count)
        node["treeids"] += [number] * count
        node["nodeids"] += numbers
        node["featureids"] += np.where(is_leaf, 0, tree["feature"]).tolist()
        node["modes"] += ["LEAF" if each else "BRANCH_LEQ" for each in is_leaf.tolist()]
        node["truenodeids"] += np.where(is_leaf, 0, tree["left"]).tolist()
        node["falsenodeids"] += np.where(is_leaf, 0, tree["right"]).tolist()
        tracks = np.where(is_leaf, 0, tree["missing_left"]).astype(int)
        node["missing_value_tracks_true"] += tracks.tolist()
        values += np.where(is_leaf, 0.0, tree["threshold"]).tolist()
        for place in np.flatnonzero(is_leaf).tolist():
            filled = np.flatnonzero(tree["weights"][place]).tolist() or [0]
            leaf["treeids"] += [number] * len(filled)
            leaf["nodeids"] += [place] * len(filled)
            leaf["ids"] += filled
            weights += tree["weights"][place][filled].tolist()
    given = operator.inputs[0].full_name
    if hasattr(operator.raw_operator, "tree_") or hasattr(operator.raw_operator, "estimators_"):
        # these round what comes in to float32 before they compare it; boosting does not
        given = _node(scope, container, "Cast", [given], to=TensorProto.FLOAT)
    wide = _node(scope, container, "Cast", [given], to=TensorProto.DOUBLE)
    summed = _node(
        scope,
        container,
        "TreeEnsembleRegressor",
        [wide],
        n_targets=targets,
        **{f"nodes_{name}": list_ for name, list_ in node.items()},
        **{f"target_{name}": list_ for name, list_ in leaf.items()},
        # as they are: float32 is exact in float64, where scikit-learn compares too
        nodes_values_as_tensor=_tensor(np.array(values, np.float64), "nodes_values"),
        target_weights_as_tensor=_tensor(np.array(weights), "target_weights"),
        base_values_as_tensor=_tensor(base.astype(np.float64), "base_values"),
    )
    return _node(scope, container, "Cast", [summed], to=TensorProto.DOUBLE)


def _answer_classes(scope: Any, operator: Any, container: Any, wide: str) -> None:
    """The outputs, from the probabilities in float64."""
    label, probabilities = operator.outputs
    best = _node(scope, container, "ArgMax", [wide], axis=1, keepdims=0)
    classes = tuple(operator.raw_operator.classes_.tolist())
    labels = class_labels(classes)
    name = scope.get_unique_variable_name("classes")
    kind = TensorProto.STRING if labels.dtype == object else TensorProto.INT64
    container.add_initializer(
        name,
        kind,
        [len(labels)],
        [each.encode() for each in labels.tolist()] if labels.dtype == object else labels.tolist(),
    )
    container.add_node(
        "Gather",
        [name, best],
        label.full_name,
        name=scope.get_unique_operator_name("Gather"),
        op_version=13,
    )
    _cast(container, wide, probabilities)


def _cast(container: Any, wide: str, output: Any) -> None:
    """Into an output, of the type that the rest of the graph takes it for."""
    double = type(output.type).__name__ == "DoubleTensorType"
    container.add_node(
        "Cast",
        wide,
        output.full_name,
        name=f"{output.full_name}_cast",
        op_version=13,
        to=TensorProto.DOUBLE if double else TensorProto.FLOAT,
    )


def _node(scope: Any, container: Any, kind: str, inputs: list[str], **attributes: Any) -> str:
    output = str(scope.get_unique_variable_name(kind.lower()))
    own = {"op_domain": _ML, "op_version": _ML_OPSET} if kind not in _VERSIONS else {}
    own = own or {"op_version": _VERSIONS[kind]}
    container.add_node(
        kind, inputs, output, name=scope.get_unique_operator_name(kind), **own, **attributes
    )
    return output


def _constant(scope: Any, container: Any, value: NDArray[Any]) -> str:
    name = str(scope.get_unique_variable_name("constant"))
    container.add_initializer(name, TensorProto.DOUBLE, list(value.shape), value.tolist())
    return name


def _tensor(values: NDArray[Any], name: str) -> Any:
    return numpy_helper.from_array(values, name)

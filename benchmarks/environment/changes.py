"""Small faults put into a graph: each is what a bad build, copy or kernel may do to a model.

A change takes a graph of :mod:`seatrial.models` and a random generator and alters one thing; False
where there is nothing of its kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from onnx import ModelProto

    Change = Callable[[ModelProto, Generator], bool]

FAR, LITTLE = 0.05, 0.005
"""How far a threshold moves, as a share of what lies between the column's least and greatest."""

OFF = 1e-4
"""How far all numbers move, as a share of the target's standard deviation, or of themselves."""

ALIKE = ("n0", "n1")
"""The columns that are taken for each other."""

_ENSEMBLE = "TreeEnsembleRegressor"


def threshold(graph: ModelProto, random: Generator) -> bool:
    """One threshold of one tree moves far."""
    return _moved(graph, random, FAR)


def threshold_a_little(graph: ModelProto, random: Generator) -> bool:
    """One threshold of one tree moves a little."""
    return _moved(graph, random, LITTLE)


def _moved(graph: ModelProto, random: Generator, share: float) -> bool:
    trees = _Trees(graph)
    node = trees.any_of(b"BRANCH_LEQ", random)
    alike = (trees.modes == b"BRANCH_LEQ") & (trees.feature == trees.feature[node])
    values = trees.values("nodes_values")
    values[node] += random.choice([-1, 1]) * share * np.ptp(values[alike])
    trees.put("nodes_values", values)
    return True


def leaf(graph: ModelProto, random: Generator) -> bool:
    """One leaf of one tree says the contrary."""
    trees = _Trees(graph)
    values = trees.values("target_weights")
    place = random.choice(np.flatnonzero(values))
    values[place] = 1.0 - values[place] if trees.averaged else -values[place]
    trees.put("target_weights", values)
    return True


def tree(graph: ModelProto, random: Generator) -> bool:
    """One tree adds nothing."""
    trees = _Trees(graph)
    values, owner = trees.values("target_weights"), trees.ints("target_treeids")
    values[owner == random.choice(owner)] = 0.0
    trees.put("target_weights", values)
    return True


def missing(graph: ModelProto, random: Generator) -> bool:
    """One split sends missing values the other way."""
    trees = _Trees(graph)
    node = trees.any_of(b"BRANCH_LEQ", random)
    ways = trees.held["nodes_missing_value_tracks_true"].ints
    ways[node] = 1 - ways[node]
    return True


def every_missing(graph: ModelProto, random: Generator) -> bool:
    """All splits of one column send missing values the other way."""
    trees = _Trees(graph)
    column = trees.feature[trees.any_of(b"BRANCH_LEQ", random)]
    ways = trees.held["nodes_missing_value_tracks_true"].ints
    for node in np.flatnonzero(trees.feature == column).tolist():
        ways[node] = 1 - ways[node]
    return True


def unknown(graph: ModelProto, random: Generator) -> bool:
    """A word that was never seen counts as one that was."""
    coded = [node for node in graph.graph.node if node.op_type == "LabelEncoder"]
    node = coded[random.integers(len(coded))]
    held = {each.name: each for each in node.attribute}
    known = next(held[name] for name in held if name.startswith("values_"))
    default = next(held[name] for name in held if name.startswith("default_"))
    whole = known.name == "values_int64s"
    value = random.choice(known.ints if whole else known.floats)
    if whole:
        default.i = int(value)
    else:
        default.f = float(value)
    return True


def columns(graph: ModelProto, random: Generator) -> bool:
    """Two columns that say nearly the same are taken for each other."""
    del random
    first, second = ALIKE
    swapped = {first: second, second: first}
    for node in graph.graph.node:
        node.input[:] = [swapped.get(each, each) for each in node.input]
    return True


def classes(graph: ModelProto, random: Generator) -> bool:
    """Two classes are taken for each other in the labels; the probabilities stay."""
    held = next((each for each in graph.graph.initializer if each.name == "graph/classes"), None)
    if held is None:
        return False
    values = numpy_helper.to_array(held).copy()
    one, other = random.choice(len(values), 2, replace=False)
    values[[one, other]] = values[[other, one]]
    held.CopyFrom(numpy_helper.from_array(values, held.name))
    return True


def weight(graph: ModelProto, random: Generator) -> bool:
    """One weight has the other sign."""
    held = next((each for each in graph.graph.initializer if each.name == "graph/weights"), None)
    if held is None:
        return False
    values = numpy_helper.to_array(held).copy()
    place = random.integers(values.size)
    values.flat[place] *= -1
    held.CopyFrom(numpy_helper.from_array(values, held.name))
    return True


def offset(graph: ModelProto, random: Generator) -> bool:
    """All numbers are off by a ten thousandth of their standard deviation, which is 1."""
    del random
    return _arithmetic(graph, "Add", OFF)


def scaled(graph: ModelProto, random: Generator) -> bool:
    """All numbers are too great by a ten thousandth."""
    del random
    return _arithmetic(graph, "Mul", 1.0 + OFF)


OF_TREES = {threshold, threshold_a_little, leaf, tree, missing, every_missing}
"""Those that need trees."""

OF_A_PART = {threshold, threshold_a_little, leaf, missing, unknown}
"""Those that most rows do not meet."""

CHANGES: dict[str, Change] = {
    "a threshold moved by 5 % of its column": threshold,
    "a threshold moved by 0.5 %": threshold_a_little,
    "a leaf says the contrary": leaf,
    "a tree dropped": tree,
    "missing values the other way, in one split": missing,
    "missing values the other way, in a column": every_missing,
    "unknown words taken for a known one": unknown,
    "two similar columns swapped": columns,
    "two classes swapped in the labels": classes,
    "a weight's sign": weight,
    "numbers off by 1e-4 of their spread": offset,
    "numbers scaled by 1.0001": scaled,
}


class _Trees:
    """The attributes of the trees, whether their numbers are float32 or float64."""

    def __init__(self, graph: ModelProto) -> None:
        node = next(each for each in graph.graph.node if each.op_type == _ENSEMBLE)
        self.held: dict[str, Any] = {each.name: each for each in node.attribute}
        self.averaged = "aggregate_function" in self.held
        self.modes = np.array(self.held["nodes_modes"].strings)
        self.feature = self.ints("nodes_featureids")

    def any_of(self, mode: bytes, random: Generator) -> int:
        return int(random.choice(np.flatnonzero(self.modes == mode)))

    def ints(self, name: str) -> np.ndarray:
        return np.array(self.held[name].ints)

    def values(self, name: str) -> np.ndarray:
        double = self.held.get(f"{name}_as_tensor")
        if double is not None:
            return numpy_helper.to_array(double.t).copy()
        return np.array(self.held[name].floats, np.float32)

    def put(self, name: str, values: np.ndarray) -> None:
        double = self.held.get(f"{name}_as_tensor")
        if double is not None:
            double.t.CopyFrom(numpy_helper.from_array(values, name))
        else:
            self.held[name].floats[:] = values.tolist()


def _arithmetic(graph: ModelProto, operator: str, by: float) -> bool:
    if len(graph.graph.output) > 1:
        return False
    last = next(each for each in graph.graph.node if "label" in each.output)
    last.output[:] = ["unchanged"]
    graph.graph.initializer.append(numpy_helper.from_array(np.array(by, np.float32), "by"))
    graph.graph.node.append(helper.make_node(operator, ["unchanged", "by"], ["label"]))
    return True

"""Which graphs can take one matrix instead of their columns, and that they answer the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from seatrial.inference.matrix import Matrix
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.models import Training, get
from seatrial.models._matrix import with_matrix_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import GraphProto, NodeProto

ROWS = 120


def signature(*names: str, strings: Sequence[str] = ()) -> Signature:
    inputs = [Input(name, "BYTES" if name in strings else "FP32") for name in names]
    return Signature(tuple(inputs), "numbers")


def column(name: str, kind: int = TensorProto.FLOAT, shape: Any = ("n", 1)) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def concat(*names: str, output: str = "x", axis: int = 1) -> NodeProto:
    return helper.make_node("Concat", [*names], [output], axis=axis)


def total(source: str = "x") -> NodeProto:
    return helper.make_node("ReduceMax", [source], ["label"], axes=[1], keepdims=0)


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[Any],
    *more_outputs: Any,
    held: Sequence[Any] = (),
) -> bytes:
    outputs = [helper.make_tensor_value_info("label", TensorProto.FLOAT, ["n"]), *more_outputs]
    graph = helper.make_graph([*nodes], "g", [*inputs], outputs, [*held])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return bytes(made.SerializeToString())


def run(content: bytes, fed: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["label"], fed)[0])


def graph_of(content: bytes) -> GraphProto:
    return onnx.load_from_string(content).graph


def same_answers(content: bytes, joined: bytes, names: Sequence[str]) -> None:
    matrix = np.random.default_rng(1).normal(size=(5, len(names))).astype(np.float32)
    columns = {name: matrix[:, [at]] for at, name in enumerate(names)}
    np.testing.assert_array_equal(run(joined, {"features": matrix}), run(content, columns))


@pytest.mark.parametrize(
    ("problem", "classes"),
    [("classes", (0, 1)), ("classes", ("x", "y", "z")), ("numbers", ())],
)
@pytest.mark.parametrize("width", [1, 4])
def test_our_own_models_answer_the_same(problem: str, classes: tuple[Any, ...], width: int) -> None:
    random = np.random.default_rng(2)
    features = {f"f{i}": random.normal(size=ROWS).astype(np.float32) for i in range(width)}
    features["f0"][::7] = np.nan
    target = random.normal(size=ROWS) if problem == "numbers" else np.resize(classes, ROWS)
    kind = target if problem == "numbers" else target.astype(type(classes[0]))
    fitted = get("gradient_boosted").fit(Training(features, kind, problem, classes, {}, 1))
    content = fitted.to_onnx()
    joined = with_matrix_input(content, fitted.signature)
    assert joined is not None
    onnx.checker.check_model(onnx.load_from_string(joined))
    one = Model.load(content, fitted.signature).predict(features)
    other = Matrix.load(joined, fitted.signature).predict(features)
    np.testing.assert_array_equal(one.label, other.label)
    if one.probabilities is not None:
        np.testing.assert_array_equal(one.probabilities, other.probabilities)
    assert with_matrix_input(content, fitted.signature) == joined


def test_the_one_input_has_the_columns_in_the_order_of_the_signature() -> None:
    content = model([concat("a", "b"), total()], [column("b"), column("a")])
    joined = with_matrix_input(content, signature("a", "b"))
    assert joined is not None
    (only,) = graph_of(joined).input
    dimensions = only.type.tensor_type.shape.dim
    assert (only.name, dimensions[0].dim_param, dimensions[1].dim_value) == ("features", "n", 2)
    assert "Concat" not in {node.op_type for node in graph_of(joined).node}
    same_answers(content, joined, ("a", "b"))


@pytest.mark.parametrize(
    ("nodes", "names"),
    [
        pytest.param([concat("a", "b", axis=-1), total()], "ab", id="the last axis is the second"),
        pytest.param(
            [concat("a", "b", output="features"), total("features")], "ab", id="already its name"
        ),
        pytest.param(
            [concat("features", "b"), total()], ("features", "b"), id="a column of that name"
        ),
        pytest.param([concat("a"), total()], "a", id="one column, joined with nothing"),
        pytest.param([total("a")], "a", id="one column, used as it is"),
        pytest.param(
            [helper.make_node("Add", ["a", "a"], ["x"]), total()], "a", id="one column, used twice"
        ),
        pytest.param([total("features")], ("features",), id="one column of that name"),
    ],
)
def test_graphs_that_can(nodes: list[NodeProto], names: Sequence[str]) -> None:
    content = model(nodes, [column(name) for name in names])
    joined = with_matrix_input(content, signature(*names))
    assert joined is not None
    assert [each.name for each in graph_of(joined).input] == ["features"]
    onnx.checker.check_model(onnx.load_from_string(joined))
    same_answers(content, joined, names)


def test_the_joined_columns_may_be_an_output_too() -> None:
    output = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])
    content = model([concat("a", "b"), total()], [column("a"), column("b")], output)
    joined = with_matrix_input(content, signature("a", "b"))
    assert joined is not None
    same_answers(content, joined, "ab")


def inner_use() -> NodeProto:
    """A node whose inner graphs read ``a`` by its name, as ONNX allows."""
    out = helper.make_tensor_value_info("chosen", TensorProto.FLOAT, None)
    branch = helper.make_graph([helper.make_node("Identity", ["a"], ["chosen"])], "b", [], [out])
    return helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch)


YES = numpy_helper.from_array(np.ones((), bool), "yes")
HALF = numpy_helper.from_array(np.zeros((1, 1), np.float32), "b")
AB = (column("a"), column("b"))


@pytest.mark.parametrize(
    ("content", "asked"),
    [
        pytest.param(
            model([concat("a", "b"), total()], [column("a"), column("b", TensorProto.DOUBLE)]),
            signature("a", "b"),
            id="a column that is not float32",
        ),
        pytest.param(
            model([concat("a", "b"), total()], AB), signature("b", "a"), id="another order"
        ),
        pytest.param(
            model([concat("a", "b"), total()], AB), signature("a"), id="an input too many"
        ),
        pytest.param(
            model([concat("a", "b"), total()], AB), signature("a", "b", "c"), id="one too few"
        ),
        pytest.param(
            model([concat("a", "b", axis=0), total()], AB), signature("a", "b"), id="other axis"
        ),
        pytest.param(
            model([concat("a", "b"), total()], [column("a"), column("b", shape=("n", 2))]),
            signature("a", "b"),
            id="a wider input",
        ),
        pytest.param(
            model([concat("a", "b"), total()], [column("a"), column("b", shape=(7, 1))]),
            signature("a", "b"),
            id="rows that differ",
        ),
        pytest.param(
            model([concat("a", "b"), total(), helper.make_node("Abs", ["a"], ["z"])], AB),
            signature("a", "b"),
            id="a column used elsewhere",
        ),
        pytest.param(
            model([concat("a", "b"), total(), inner_use()], AB, held=[YES]),
            signature("a", "b"),
            id="a column used in an inner graph",
        ),
        pytest.param(
            model([concat("a", "b"), total()], AB, column("a")),
            signature("a", "b"),
            id="a column that is an output",
        ),
        pytest.param(
            model([concat("a", "b"), concat("a", "b", output="z"), total()], AB),
            signature("a", "b"),
            id="two that join",
        ),
        pytest.param(
            model([helper.make_node("Max", ["a", "b"], ["x"]), total()], AB),
            signature("a", "b"),
            id="none that joins",
        ),
        pytest.param(
            model(
                [concat("a", "b"), helper.make_node("Abs", ["x"], ["features"]), total("features")],
                AB,
            ),
            signature("a", "b"),
            id="the name is taken inside",
        ),
        pytest.param(
            model([concat("a", output="features"), total("features")], [column("a")]),
            signature("a"),
            id="the name is taken behind one column",
        ),
        pytest.param(
            model([concat("a", "b"), total()], AB, held=[HALF]),
            signature("a", "b"),
            id="a column with a default",
        ),
    ],
)
def test_graphs_that_cannot(content: bytes, asked: Signature) -> None:
    assert with_matrix_input(content, asked) is None


def test_strings_never_can() -> None:
    random = np.random.default_rng(3)
    features = {
        "a": random.normal(size=ROWS).astype(np.float32),
        "word": random.choice(np.array(["x", "y"], object), ROWS),
    }
    fitted = get("gradient_boosted").fit(
        Training(features, np.resize([0, 1], ROWS), "classes", (0, 1), {}, 1)
    )
    assert with_matrix_input(fitted.to_onnx(), fitted.signature) is None

"""Files as exporters write them, and that each answers ours as it answered its maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import (
    BooleanTensorType,
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
    StringTensorType,
)
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.models._matrix import with_matrix_input
from seatrial.models._ready_onnx import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onnx import NodeProto

ROWS = 150
NAMES = ("a", "dep delay", "c")
FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(ROWS, 3)).astype(np.float32)
SCORE = X[:, 0] - X[:, 2]
TARGETS: dict[tuple[Any, ...], np.ndarray] = {
    (0, 1): (SCORE > 0).astype(np.int64),
    (3, 7): np.where(SCORE > 0, 7, 3),
    ("no", "yes"): np.where(SCORE > 0, "yes", "no"),
    ("a", "b", "c"): np.array(["a", "b", "c"])[np.digitize(SCORE, [-0.7, 0.7])],
    (0, 1, 2): np.digitize(SCORE, [-0.7, 0.7]),
}


def signature(classes: tuple[Any, ...] = (), names: Sequence[str] = NAMES) -> Signature:
    inputs = tuple(Input(name, "FP32") for name in names)
    return Signature(inputs, "classes" if classes else "numbers", classes)


def columns(matrix: np.ndarray = X, names: Sequence[str] = NAMES) -> dict[str, np.ndarray]:
    return dict(zip(names, matrix.T, strict=True))


def opened(content: bytes, of: Signature) -> Model:
    made = normalised(content, of, "m.onnx")
    assert normalised(content, of, "m.onnx") == made
    onnx.checker.check_model(onnx.load_from_string(made), full_check=True)
    return Model.load(made, of)


def own_answer(content: bytes, fed: Mapping[str, np.ndarray]) -> list[Any]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return list(session.run(None, dict(fed)))


def value(name: str, kind: int = FLOAT, shape: Any = ("n", 1)) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def file(
    nodes: Sequence[NodeProto],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    held: Mapping[str, Any] | None = None,
    opset: int = 15,
    ir: int = 8,
) -> bytes:
    graph = helper.make_graph(
        [*nodes],
        "theirs",
        [*inputs],
        [*outputs],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in (held or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=ir)
    return bytes(model.SerializeToString())


WEIGHTS = np.array([[1.5], [-0.5], [0.25]], np.float32)


def linear(
    *more: NodeProto,
    outputs: Sequence[Any],
    inputs: Sequence[Any] | None = None,
    held: Mapping[str, Any] | None = None,
    weights: np.ndarray = WEIGHTS,
    opset: int = 15,
) -> bytes:
    """``sums = x @ weights``, as a network ends, and what comes after."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["sums"]), *more]
    asked = inputs or [value("x", FLOAT, ["batch", len(weights)])]
    return file(nodes, asked, outputs, {"w": weights, **(held or {})}, opset)


def node(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(operator, [*inputs], [output], **attributes)


def softmax_of(table: np.ndarray) -> np.ndarray:
    raised = np.exp(table - table.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


# -- scikit-learn's own exports ---------------------------------------------------------------

ESTIMATORS = [
    LogisticRegression(),
    RandomForestClassifier(5, random_state=0),
    GaussianNB(),
]


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("classes", TARGETS, ids=str)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_classifiers_of_scikit_learn(
    estimator: Any, classes: tuple[Any, ...], *, zipmap: bool
) -> None:
    estimator.fit(X, TARGETS[classes])
    content = convert_sklearn(
        estimator,
        initial_types=[("float_input", FloatTensorType([None, 3]))],
        options={id(estimator): {"zipmap": zipmap}},
        target_opset={"": 15, "ai.onnx.ml": 3},
    ).SerializeToString()
    answer = opened(content, signature(classes)).predict(columns())
    label, table = own_answer(content, {"float_input": X})
    if zipmap:
        table = np.array([[row[each] for each in classes] for row in table])
    assert answer.probabilities is not None
    np.testing.assert_array_equal(answer.probabilities, table)
    assert answer.label.tolist() == [*label]
    np.testing.assert_allclose(answer.probabilities, estimator.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("shape", [[None, 3], [1, 3], [None, None]], ids=str)
def test_a_regressor_of_scikit_learn(shape: list[int | None]) -> None:
    estimator = LinearRegression().fit(X, SCORE)
    initial = [("X", FloatTensorType(shape))]
    content = convert_sklearn(estimator, initial_types=initial).SerializeToString()
    answer = opened(content, signature()).predict(columns())
    assert answer.label.shape == (ROWS,)
    assert answer.label.dtype == np.float32
    np.testing.assert_allclose(answer.label, estimator.predict(X), atol=1e-5)


def mixed_pipeline() -> tuple[bytes, dict[str, np.ndarray], Any]:
    pd = pytest.importorskip("pandas")
    words = RANDOM.choice(np.array(["UA", "DL", "Ärø"], dtype=object), ROWS)
    features = {"carrier": words, "delay": X[:, 0], "label": X[:, 1]}
    frame = pd.DataFrame(features)
    pipeline = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
            (SimpleImputer(), ["delay", "label"]),
        ),
        LogisticRegression(),
    ).fit(frame, np.where((words == "DL") | (X[:, 0] > 1), "late", "on time"))
    kinds = [("carrier", StringTensorType([None, 1])), ("delay", FloatTensorType([None, 1]))]
    kinds += [("label", FloatTensorType([None, 1]))]
    return convert_sklearn(pipeline, initial_types=kinds).SerializeToString(), features, pipeline


def test_a_pipeline_of_words_and_numbers() -> None:
    content, features, _ = mixed_pipeline()
    model = onnx.load_from_string(content)
    # a column may not be called as our output is, but their inner names may
    for each in model.graph.input:
        if each.name == "label":
            each.name = "dist"
    for each in model.graph.node:
        each.input[:] = ["dist" if name == "label" else name for name in each.input]
    features["dist"] = features.pop("label")
    inputs = (Input("delay", "FP32"), Input("carrier", "BYTES"), Input("dist", "FP32"))
    asked = Signature(inputs, "classes", ("late", "on time"))
    content = model.SerializeToString()
    answer = opened(content, asked).predict(features)
    own = own_answer(content, {name: each.reshape(-1, 1) for name, each in features.items()})
    assert answer.label.tolist() == [*own[0]]
    assert answer.probabilities is not None
    theirs = [[row["late"], row["on time"]] for row in own[1]]
    np.testing.assert_array_equal(answer.probabilities, np.array(theirs, np.float32))
    unseen = {**features, "carrier": np.full(ROWS, "never seen", object)}
    assert opened(content, asked).predict(unseen).finite.all()


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (FloatTensorType, np.float32),
        (DoubleTensorType, np.float64),
        (Int64TensorType, np.int64),
        (BooleanTensorType, np.bool_),
    ],
)
@pytest.mark.parametrize("shape", [[None, 1], [None]], ids=str)
def test_columns_of_every_kind_of_number(kind: Any, dtype: Any, shape: list[None]) -> None:
    cast = {FloatTensorType: FLOAT, DoubleTensorType: 11, Int64TensorType: INT64}.get(kind, 9)
    nodes = [node("Cast", [name], f"{name}/f", to=FLOAT) for name in NAMES]
    nodes += [node("Sum", [f"{name}/f" for name in NAMES], "label")]
    content = file(
        nodes,
        [value(n, cast, ["n", 1][: len(shape)]) for n in NAMES],
        [value("label", FLOAT, None)],
    )
    given = np.array([[3.0, -2.9, 0.0], [1e30, np.nan, 5.0], [0.0, 0.0, 0.0]], np.float32)
    answer = opened(content, signature()).predict(columns(given))
    if np.dtype(dtype).kind == "f":
        expected = given.astype(dtype).sum(axis=1)
    elif dtype == np.bool_:
        expected = np.array([2, 2, 0])
    else:
        # a missing value is 0, and what no int64 holds is the greatest float32 that one does
        expected = np.array([1, np.nextafter(np.float32(2**63), np.float32(0)) + 5, 0])
    np.testing.assert_allclose(answer.label, expected.astype(np.float32))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE, INT64])
def test_a_matrix_of_every_kind_of_number(kind: int) -> None:
    inputs = [value("matrix", kind, ["n", 3])]
    nodes = [
        node("Cast", ["matrix"], "f", to=FLOAT),
        node("ReduceSum", ["f", "axes"], "total", keepdims=0),
    ]
    held = {"axes": np.array([1])}
    content = file(nodes, inputs, [value("total", FLOAT, ["n"])], held)
    given = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    assert opened(content, signature()).predict(columns(given)).label.tolist() == [6.0, 15.0]


@given(st.permutations(NAMES), st.permutations(NAMES))
@settings(max_examples=15)
def test_columns_may_stand_in_any_order(theirs: list[str], ours: list[str]) -> None:
    nodes = [node("Concat", theirs, "x", axis=1), node("MatMul", ["x", "w"], "y")]
    content = file(nodes, [value(name) for name in theirs], [value("y")], {"w": WEIGHTS})
    asked = signature((), ours)
    made = normalised(content, asked, "m.onnx")
    answer = Model.load(made, asked).predict(columns())
    expected = np.column_stack([columns()[name] for name in theirs]) @ WEIGHTS
    np.testing.assert_allclose(answer.label, expected[:, 0], rtol=1e-5, atol=1e-6)
    # the fast form of a request is there for the same order
    assert (with_matrix_input(made, asked) is not None) == (theirs == ours)


# -- as networks and other libraries export ----------------------------------------------------


@pytest.mark.parametrize("opset", [7, 8, 9, 11, 13, 15, 18])
@pytest.mark.parametrize("shape", [["batch", 1], ["batch"], [1, 1]], ids=str)
def test_a_network_for_numbers(opset: int, shape: list[Any]) -> None:
    more = []
    if len(shape) == 1:
        more = [node("Reshape", ["sums", "flat"], "out")]
    name = "out" if more else "sums"
    inputs = [value("x", FLOAT, [shape[0], 3])]
    content = linear(
        *more,
        inputs=inputs,
        outputs=[value(name, FLOAT, shape)],
        held={"flat": np.array([-1])},
        opset=opset,
    )
    answer = opened(content, signature()).predict(columns())
    np.testing.assert_allclose(answer.label, (X @ WEIGHTS)[:, 0], rtol=1e-5, atol=1e-6)


def test_a_matrix_that_is_ours_already_keeps_the_fast_form() -> None:
    content = linear(outputs=[value("sums")])
    made = normalised(content, signature(), "m.onnx")
    joined = with_matrix_input(made, signature())
    assert joined is not None


@pytest.mark.parametrize("shape", [["n", 1], ["n"]], ids=str)
@pytest.mark.parametrize("classes", [(0, 1), ("no", "yes")], ids=str)
def test_the_probability_of_the_greater_class(shape: list[Any], classes: tuple[Any, ...]) -> None:
    nodes = [node("Sigmoid", ["sums"], "p"), node("Reshape", ["p", "flat"], "flat_p")]
    output = value("p", FLOAT, shape) if len(shape) == 2 else value("flat_p", FLOAT, shape)
    content = linear(*nodes, outputs=[output], held={"flat": np.array([-1])})
    answer = opened(content, signature(classes)).predict(columns())
    expected = 1 / (1 + np.exp(-(X @ WEIGHTS)[:, 0]))
    assert answer.probabilities is not None
    np.testing.assert_allclose(answer.probabilities[:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, atol=1e-6)
    assert answer.label.tolist() == [classes[int(each > 0.5)] for each in expected]


@pytest.mark.parametrize("kind", [FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_the_probabilities_of_all_classes(kind: int) -> None:
    weights = RANDOM.normal(size=(3, 4)).astype(np.float32)
    nodes = [
        node("Softmax", ["sums"], "soft", axis=1),
        node("Cast", ["soft"], "y", to=kind),
    ]
    content = linear(*nodes, outputs=[value("y", kind, ["n", 4])], weights=weights)
    answer = opened(content, signature(("p", "q", "r", "s"))).predict(columns())
    expected = softmax_of(X @ weights)
    assert answer.probabilities is not None
    tolerance = 1e-3 if kind == TensorProto.FLOAT16 else 1e-6
    np.testing.assert_allclose(answer.probabilities, expected, atol=tolerance)
    best = np.array(["p", "q", "r", "s"])[answer.probabilities.argmax(axis=1)]
    assert answer.label.tolist() == best.tolist()


def classifier(
    *label: NodeProto, outputs: Sequence[Any], held: Mapping[str, Any] | None = None
) -> bytes:
    """Softmax of three classes, their most probable place as ``best``, and labels made of it."""
    weights = np.array([[2, 0, -2], [0, 1, 0], [-2, 0, 2]], np.float32)
    nodes = [
        node("Softmax", ["sums"], "proba", axis=1),
        node("ArgMax", ["proba"], "best", axis=1, keepdims=0),
        *label,
    ]
    return linear(*nodes, outputs=outputs, weights=weights, held=held)


PROBA = value("proba", FLOAT, ["n", 3])


@pytest.mark.parametrize("first", ["label", "probabilities"])
@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        pytest.param(None, INT64, (0, 1, 2), id="the places are the classes"),
        pytest.param(None, INT64, (1, 2, 3), id="places, where two are classes as well"),
        pytest.param(None, INT64, ("a", "b", "c"), id="places for words"),
        pytest.param(np.array(["a", "b", "c"], object), STRING, ("a", "b", "c"), id="words"),
        pytest.param(np.array([3, 5, 9]), INT64, (3, 5, 9), id="the classes themselves"),
        pytest.param(np.array([3, 5, 9], np.int32), 6, (3, 5, 9), id="smaller integers"),
        pytest.param(np.array(["3", "5", "9"], object), STRING, (3, 5, 9), id="spelled"),
    ],
)
def test_labels_and_what_they_mean(
    first: str, labels: np.ndarray | None, kind: int, classes: tuple[Any, ...]
) -> None:
    names = [] if labels is None else [node("Gather", ["names", "best"], "said", axis=0)]
    label = value("best" if labels is None else "said", kind, ["n"])
    outputs = [label, PROBA] if first == "label" else [PROBA, label]
    held = {} if labels is None else {"names": labels}
    answer = opened(classifier(*names, outputs=outputs, held=held), signature(classes)).predict(
        columns()
    )
    assert answer.probabilities is not None
    assert {*answer.label.tolist()} == {*classes}
    best = answer.probabilities.argmax(axis=1)
    assert answer.label.tolist() == [classes[place] for place in best]


def test_labels_by_a_threshold_of_their_own_are_kept() -> None:
    nodes = [
        node("Sigmoid", ["sums"], "p"),
        node("Greater", ["p", "often"], "label"),
        node("Sub", ["one", "p"], "q"),
        node("Concat", ["q", "p"], "proba", axis=1),
    ]
    held = {"often": np.float32(0.2), "one": np.float32(1)}
    outputs = [value("label", TensorProto.BOOL), value("proba", FLOAT, ["n", 2])]
    answer = opened(linear(*nodes, outputs=outputs, held=held), signature((0, 1))).predict(
        columns()
    )
    assert answer.probabilities is not None
    likely = answer.probabilities[:, 1]
    assert answer.label.tolist() == (likely > 0.2).astype(int).tolist()
    assert ((likely > 0.2) & (likely < 0.5)).any()


def test_the_order_that_a_file_tells_is_followed() -> None:
    nodes = [
        helper.make_node(
            "ZipMap",
            ["proba"],
            ["zipped"],
            domain="ai.onnx.ml",
            classlabels_strings=["c", "a", "b"],
        )
    ]
    of_maps = helper.make_map_type_proto(STRING, helper.make_tensor_type_proto(FLOAT, []))
    zipped = helper.make_value_info("zipped", helper.make_sequence_type_proto(of_maps))
    plain = opened(classifier(outputs=[PROBA]), signature(("a", "b", "c"))).predict(columns())
    content = classifier(*nodes, outputs=[zipped])
    answer = opened(content, signature(("a", "b", "c"))).predict(columns())
    assert plain.probabilities is not None
    np.testing.assert_array_equal(answer.probabilities, plain.probabilities[:, [1, 2, 0]])
    own = own_answer(content, {"x": X})[0]
    assert answer.label.tolist() == [max(row, key=row.__getitem__) for row in own]


def test_other_outputs_are_left_out_when_the_names_are_clear() -> None:
    outputs = [
        value("sums", FLOAT, ["n", 3]),
        value("probabilities", FLOAT, ["n", 3]),
        value("best", INT64, ["n"]),
    ]
    nodes = [node("Identity", ["proba"], "probabilities")]
    content = classifier(*nodes, outputs=outputs)
    answer = opened(content, signature((0, 1, 2))).predict(columns())
    assert answer.probabilities is not None
    np.testing.assert_allclose(answer.probabilities, own_answer(content, {"x": X})[1])


# -- names, defaults, batches -------------------------------------------------------------------


def test_inner_names_clash_with_nothing() -> None:
    names = ("file/w", "sums", "seatrial/0")
    content = linear(outputs=[value("sums")], inputs=[value("x", FLOAT, ["n", 3])])
    answer = opened(content, signature((), names)).predict(columns(X, names))
    np.testing.assert_allclose(answer.label, (X @ WEIGHTS)[:, 0], rtol=1e-5, atol=1e-6)


def test_graphs_inside_still_read_the_values_around_them() -> None:
    branches = [
        helper.make_graph(
            [node("Mul", ["sums", factor], "inner")], factor, [], [value("inner", FLOAT, None)]
        )
        for factor in ("two", "three")
    ]
    nodes = [
        helper.make_node("If", ["yes"], ["y"], then_branch=branches[0], else_branch=branches[1])
    ]
    held = {"yes": np.True_, "two": np.float32(2), "three": np.float32(3)}
    content = linear(*nodes, outputs=[value("y")], held=held)
    answer = opened(content, signature()).predict(columns())
    np.testing.assert_allclose(answer.label, 2 * (X @ WEIGHTS)[:, 0], rtol=1e-5, atol=1e-6)


def test_an_input_with_a_default_keeps_it_unless_it_is_a_column() -> None:
    nodes = [node("Mul", ["a", "scale"], "y")]
    asked = [value("a"), value("scale", FLOAT, [1])]
    content = file(nodes, asked, [value("y")], {"scale": np.array([3], np.float32)})
    given = {"a": np.array([1, 2], np.float32), "scale": np.array([5, 5], np.float32)}
    one = opened(content, signature((), ["a"]))
    assert one.predict(given).label.tolist() == [3, 6]
    asked[1] = value("scale")
    content = file(nodes, asked, [value("y")], {"scale": np.array([[3]], np.float32)})
    both = opened(content, signature((), ["a", "scale"]))
    assert both.predict(given).label.tolist() == [5, 10]


def test_a_file_of_the_first_days_lists_its_weights_as_inputs() -> None:
    inputs = [value("x", FLOAT, ["n", 3]), value("w", FLOAT, [3, 1])]
    nodes = [node("MatMul", ["x", "w"], "y")]
    content = file(nodes, inputs, [value("y")], {"w": WEIGHTS}, opset=9, ir=3)
    answer = opened(content, signature()).predict(columns())
    np.testing.assert_allclose(answer.label, (X @ WEIGHTS)[:, 0], rtol=1e-5, atol=1e-6)


def test_notes_of_the_exporter_make_no_other_version() -> None:
    plain = linear(outputs=[value("sums")])
    model = onnx.load_from_string(plain)
    model.doc_string = "exported at noon"
    model.graph.node[0].doc_string = "/home/me/train.py, line 3"
    helper.set_model_props(model, {"run": "17"})
    noted = model.SerializeToString()
    assert noted != plain
    made = [normalised(each, signature(), "m.onnx") for each in (plain, noted)]
    assert made[0] == made[1]


def test_a_file_made_for_one_row_serves_many_when_it_can() -> None:
    content = linear(outputs=[value("sums", FLOAT, [1, 1])], inputs=[value("x", FLOAT, [1, 3])])
    answer = opened(content, signature()).predict(columns())
    np.testing.assert_allclose(answer.label, (X @ WEIGHTS)[:, 0], rtol=1e-5, atol=1e-6)


def test_what_was_made_is_made_of_itself_again() -> None:
    content = classifier(outputs=[value("best", INT64, ["n"]), PROBA])
    asked = signature((0, 1, 2))
    once = normalised(content, asked, "m.onnx")
    again = Model.load(normalised(once, asked, "m.onnx"), asked).predict(columns())
    answer = Model.load(once, asked).predict(columns())
    np.testing.assert_array_equal(again.probabilities, answer.probabilities)
    assert again.label.tolist() == answer.label.tolist()
